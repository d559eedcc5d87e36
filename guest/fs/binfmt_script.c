/* Scripts: "#! program argument" in the first line says who runs them. */
#include "binfmts.h"
#include "err.h"
#include "string.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The word that begins at text, of a line that ends with a NUL: ends it, and returns what stands behind. */
static char *end_word(char *text)
{
    while (*text && !is_blank(*text))
        text++;
    while (is_blank(*text))
        *text++ = '\0';
    return text;
}

/* The rest of the line behind "#!", without blanks at both ends; NULL: it does not end within the buffer. */
static char *first_line(char *buf)
{
    buf[BINPRM_BUF_SIZE - 1] = '\0';
    char *end = strchr(buf, '\n');
    if (end == NULL)
        end = buf + strlen(buf);
    if (end == buf + BINPRM_BUF_SIZE - 1)
        return NULL;
    while (end > buf && is_blank(end[-1]))
        end--;
    *end = '\0';
    char *line = buf + 2;
    while (is_blank(*line))
        line++;
    return line;
}

int load_script(struct linux_binprm *bprm, const char *name, char runner[BINPRM_BUF_SIZE])
{
    if (bprm->buf[0] != '#' || bprm->buf[1] != '!')
        return -ENOEXEC;
    char line[BINPRM_BUF_SIZE];
    memcpy(line, bprm->buf, sizeof(line));
    char *program = first_line(line);
    if (program == NULL || *program == '\0')
        return -ENOEXEC;
    const char *argument = end_word(program);
    /* In front of the arguments, from the last to the first: the script's name takes the place of its own. */
    int error = remove_arg_zero(bprm);
    error = error ? error : copy_string_kernel(name, bprm);
    if (error == 0 && *argument)
        error = copy_string_kernel(argument, bprm);
    error = error ? error : copy_string_kernel(program, bprm);
    strlcpy(runner, program, BINPRM_BUF_SIZE);
    return error ? error : open_binary(bprm, program);
}
