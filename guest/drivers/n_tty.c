#include "n_tty.h"
#include "compiler.h"
#include "signal.h"
#include "string.h"

#define CTRL(c) ((u8)((c)&0x1F))
#define DELETE 0x7Fu
#define TAB_COLUMNS 8u

static bool has_lflag(const struct n_tty *tty, u32 flag)
{
    return tty->termios.c_lflag & flag;
}

static bool has_iflag(const struct n_tty *tty, u32 flag)
{
    return tty->termios.c_iflag & flag;
}

static bool is_char(const struct n_tty *tty, u8 c, u32 which)
{
    return c != DISABLED_CHAR && tty->termios.c_cc[which] == c;
}

static bool is_control(u8 c)
{
    return c < ' ' || c == DELETE;
}

/* Letters, those of Latin-1 too: C0h to DEh and E0h to FEh, but for the signs in between. */
static bool is_upper(u8 c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7);
}

static bool is_lower(u8 c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xDF && c != 0xF7);
}

static bool is_word_char(u8 c)
{
    return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9') || c == '_';
}

static u8 to_upper(u8 c)
{
    return is_lower(c) ? (u8)(c - 0x20) : c;
}

/* The second and further bytes of a character in UTF-8. */
static bool is_continuation(const struct n_tty *tty, u8 c)
{
    return has_iflag(tty, IUTF8) && (c & 0xC0) == 0x80;
}

static u8 *at(struct n_tty *tty, u32 position)
{
    return &tty->buf[position % N_TTY_BUF_SIZE];
}

static void set_line_end(struct n_tty *tty, u32 position, bool ends)
{
    u32 bit = position % N_TTY_BUF_SIZE;
    if (ends)
        tty->ends_line[bit / 8] |= (u8)(1u << bit % 8);
    else
        tty->ends_line[bit / 8] &= (u8) ~(1u << bit % 8);
}

static bool is_line_end(const struct n_tty *tty, u32 position)
{
    u32 bit = position % N_TTY_BUF_SIZE;
    return tty->ends_line[bit / 8] & 1u << bit % 8;
}

void n_tty_init(struct n_tty *tty)
{
    tty->termios = (struct termios){
        .c_iflag = ICRNL | IXON,
        .c_oflag = OPOST | ONLCR,
        .c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL,
        .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        .c_cc = {[VINTR] = CTRL('C'),
                 [VQUIT] = CTRL('\\'),
                 [VERASE] = DELETE,
                 [VKILL] = CTRL('U'),
                 [VEOF] = CTRL('D'),
                 [VMIN] = 1,
                 [VSTART] = CTRL('Q'),
                 [VSTOP] = CTRL('S'),
                 [VSUSP] = CTRL('Z'),
                 [VREPRINT] = CTRL('R'),
                 [VDISCARD] = CTRL('O'),
                 [VWERASE] = CTRL('W'),
                 [VLNEXT] = CTRL('V')},
    };
    n_tty_flush_input(tty);
    tty->column = tty->canon_column = 0;
    tty->has_lnext = tty->is_stopped = false;
}

void n_tty_flush_input(struct n_tty *tty)
{
    tty->head = tty->tail = tty->canon_head = 0;
    memset(tty->ends_line, 0, sizeof(tty->ends_line));
}

/* What was typed in one mode is a line in canonical mode, and just characters in the other. */
void n_tty_set_termios(struct n_tty *tty, const struct termios *termios)
{
    u32 changed = tty->termios.c_lflag ^ termios->c_lflag;
    tty->termios = *termios;
    if (changed & ICANON) {
        memset(tty->ends_line, 0, sizeof(tty->ends_line));
        tty->canon_head = tty->tail;
        if (has_lflag(tty, ICANON) && tty->head != tty->tail) {
            set_line_end(tty, tty->head - 1, true);
            tty->canon_head = tty->head;
        }
        tty->has_lnext = false;
    }
    if (!has_iflag(tty, IXON))
        tty->is_stopped = false;
}

/* ---- Output ---- */

/* What one character becomes, and where it leaves the cursor. At most TAB_COLUMNS bytes. */
static u32 process_output_char(struct n_tty *tty, u8 c, char *to)
{
    u32 oflag = tty->termios.c_oflag, spaces;
    to[0] = (char)c;
    if (!(oflag & OPOST))
        return 1;
    switch (c) {
    case '\n':
        if (oflag & ONLRET)
            tty->column = 0;
        if (oflag & ONLCR) {
            tty->canon_column = tty->column = 0;
            to[0] = '\r';
            to[1] = '\n';
            return 2;
        }
        tty->canon_column = tty->column;
        return 1;
    case '\r':
        if ((oflag & ONOCR) && tty->column == 0)
            return 0;
        if (oflag & OCRNL) {
            to[0] = '\n';
            if (oflag & ONLRET)
                tty->canon_column = tty->column = 0;
            return 1;
        }
        tty->canon_column = tty->column = 0;
        return 1;
    case '\t':
        spaces = TAB_COLUMNS - tty->column % TAB_COLUMNS;
        tty->column += spaces;
        if ((oflag & TABDLY) != XTABS)
            return 1;
        memset(to, ' ', spaces);
        return spaces;
    case '\b':
        if (tty->column)
            tty->column--;
        return 1;
    default:
        if (is_control(c))
            return 1;
        c = oflag & OLCUC ? to_upper(c) : c;
        to[0] = (char)c;
        if (!is_continuation(tty, c))
            tty->column++;
        return 1;
    }
}

u32 n_tty_opost(struct n_tty *tty, const char *text, u32 bytes, char *to, u32 to_bytes, u32 *to_used)
{
    u32 done = 0;
    *to_used = 0;
    while (done < bytes && *to_used + TAB_COLUMNS <= to_bytes)
        *to_used += process_output_char(tty, (u8)text[done++], to + *to_used);
    return done;
}

/* ---- Echo ---- */

static void echo_raw(struct n_tty *tty, u8 c)
{
    char out[TAB_COLUMNS];
    u32 bytes = process_output_char(tty, c, out);
    tty->write(tty, out, bytes);
}

static void echo_text(struct n_tty *tty, const char *text)
{
    for (; *text; text++)
        echo_raw(tty, (u8)*text);
}

/* Control characters as ^ and a letter. These, and FFh, are counted even where output is sent as it is. */
static void echo_char(struct n_tty *tty, u8 c)
{
    const char shown[] = {'^', (char)(c ^ 0x40)}, mark = (char)c;
    if (has_lflag(tty, ECHOCTL) && is_control(c) && c != '\t') {
        tty->write(tty, shown, sizeof(shown));
        tty->column += sizeof(shown);
    } else if (c == 0xFF) {
        tty->write(tty, &mark, 1);
        tty->column++;
    } else {
        echo_raw(tty, c);
    }
}

static void note_line_start(struct n_tty *tty)
{
    if (tty->canon_head == tty->head)
        tty->canon_column = tty->column;
}

/* ---- Taking back what was typed ---- */

/* A tab went as far as what stands before it says: since the last tab, or the beginning of the line. */
static void erase_tab(struct n_tty *tty)
{
    u32 columns = 0, position = tty->head;
    bool is_after_tab = false;
    while (position != tty->canon_head && !is_after_tab) {
        u8 c = *at(tty, --position);
        if (c == '\t')
            is_after_tab = true;
        else if (is_control(c))
            columns += has_lflag(tty, ECHOCTL) ? 2 : 0;
        else if (!is_continuation(tty, c))
            columns++;
    }
    if (!is_after_tab)
        columns += tty->canon_column;
    for (u32 back = TAB_COLUMNS - columns % TAB_COLUMNS; back; back--) {
        tty->write(tty, "\b", 1);
        if (tty->column)
            tty->column--;
    }
}

static void erase_shown(struct n_tty *tty, u8 c, bool is_erase)
{
    if (is_erase && !has_lflag(tty, ECHOE)) {
        echo_char(tty, tty->termios.c_cc[VERASE]);
    } else if (c == '\t') {
        erase_tab(tty);
    } else {
        if (is_control(c) && has_lflag(tty, ECHOCTL))
            echo_text(tty, "\b \b");
        if (!is_control(c) || has_lflag(tty, ECHOCTL))
            echo_text(tty, "\b \b");
    }
}

/* Takes the last character off, all bytes of it; false: the line is empty. */
static bool unput_char(struct n_tty *tty, u8 *c)
{
    u32 head = tty->head;
    do {
        if (head == tty->canon_head)
            return false;
        *c = *at(tty, --head);
    } while (is_continuation(tty, *c) && head != tty->canon_head);
    if (is_continuation(tty, *c))
        return false;
    tty->head = head;
    return true;
}

static void kill_line_unseen(struct n_tty *tty)
{
    tty->head = tty->canon_head;
    if (!has_lflag(tty, ECHO))
        return;
    echo_char(tty, tty->termios.c_cc[VKILL]);
    if (has_lflag(tty, ECHOK))
        echo_raw(tty, '\n');
}

static void erase(struct n_tty *tty, u8 kind)
{
    bool is_erase = is_char(tty, kind, VERASE), is_word = is_char(tty, kind, VWERASE);
    bool has_seen_word = false;
    u8 c;
    if (!is_erase && !is_word &&
        !(has_lflag(tty, ECHO) && has_lflag(tty, ECHOK) && has_lflag(tty, ECHOKE) && has_lflag(tty, ECHOE))) {
        if (tty->head != tty->canon_head)
            kill_line_unseen(tty);
        return;
    }
    for (u32 head = tty->head; unput_char(tty, &c); head = tty->head) {
        if (is_word) {
            if (is_word_char(c)) {
                has_seen_word = true;
            } else if (has_seen_word) {
                tty->head = head;
                break;
            }
        }
        if (has_lflag(tty, ECHO))
            erase_shown(tty, c, is_erase);
        if (is_erase)
            break;
    }
}

/* ---- Input ---- */

/*
 * False: there is no room, and the character is lost. In a line that fills everything, it takes the place of
 * the last one, so that the line can still be ended.
 */
static bool put_char(struct n_tty *tty, u8 c)
{
    if (tty->head - tty->tail >= N_TTY_BUF_SIZE - 1) {
        if (!has_lflag(tty, ICANON) || tty->canon_head != tty->tail)
            return false;
        tty->head--;
    }
    set_line_end(tty, tty->head, false);
    *at(tty, tty->head++) = c;
    return true;
}

static void end_line(struct n_tty *tty, u8 c)
{
    if (!put_char(tty, c))
        return;
    set_line_end(tty, tty->head - 1, true);
    tty->canon_head = tty->head;
}

static void receive_signal(struct n_tty *tty, u8 c, int sig)
{
    tty->signal(tty, sig);
    if (!has_lflag(tty, NOFLSH))
        n_tty_flush_input(tty);
    if (has_iflag(tty, IXON))
        tty->is_stopped = false;
    if (has_lflag(tty, ECHO))
        echo_char(tty, c);
}

static int signal_of(const struct n_tty *tty, u8 c)
{
    if (!has_lflag(tty, ISIG))
        return 0;
    if (is_char(tty, c, VINTR))
        return SIGINT;
    if (is_char(tty, c, VQUIT))
        return SIGQUIT;
    return is_char(tty, c, VSUSP) ? SIGTSTP : 0;
}

/* The line as it is so far, once more. */
static void reprint(struct n_tty *tty, u8 c)
{
    echo_char(tty, c);
    echo_raw(tty, '\n');
    for (u32 position = tty->canon_head; position != tty->head; position++)
        echo_char(tty, *at(tty, position));
}

/* A line feed that a carriage return has become is shown as what it is, not as a control character. */
static void receive_plain(struct n_tty *tty, u8 c, bool was_return)
{
    if (has_lflag(tty, ECHO)) {
        if (c == '\n' && was_return) {
            echo_raw(tty, c);
        } else {
            note_line_start(tty);
            echo_char(tty, c);
        }
    }
    /* So that it is no mark of an error. */
    if (has_iflag(tty, PARMRK) && c == 0xFF)
        put_char(tty, c);
    put_char(tty, c);
}

/* True: in canonical mode the character is one that does something to the line. */
static bool receive_editing(struct n_tty *tty, u8 c)
{
    bool is_extended = has_lflag(tty, IEXTEN);
    if (is_char(tty, c, VERASE) || is_char(tty, c, VKILL) || (is_extended && is_char(tty, c, VWERASE))) {
        erase(tty, c);
        return true;
    }
    if (is_extended && is_char(tty, c, VLNEXT)) {
        tty->has_lnext = true;
        if (has_lflag(tty, ECHO) && has_lflag(tty, ECHOCTL))
            echo_text(tty, "^\b");
        return true;
    }
    if (is_extended && has_lflag(tty, ECHO) && is_char(tty, c, VREPRINT)) {
        reprint(tty, c);
        return true;
    }
    if (c == '\n') {
        if (has_lflag(tty, ECHO) || has_lflag(tty, ECHONL))
            echo_raw(tty, c);
        end_line(tty, c);
        return true;
    }
    if (is_char(tty, c, VEOF)) {
        end_line(tty, DISABLED_CHAR);
        return true;
    }
    if (is_char(tty, c, VEOL) || (is_extended && is_char(tty, c, VEOL2))) {
        if (has_lflag(tty, ECHO)) {
            note_line_start(tty);
            echo_char(tty, c);
        }
        end_line(tty, c);
        return true;
    }
    return false;
}

void n_tty_receive_char(struct n_tty *tty, u8 c)
{
    if (has_iflag(tty, ISTRIP))
        c &= 0x7F;
    if (has_iflag(tty, IUCLC) && has_lflag(tty, IEXTEN) && is_upper(c))
        c = (u8)(c + 0x20);
    if (tty->has_lnext) {
        tty->has_lnext = false;
        receive_plain(tty, c, false);
        return;
    }
    if (has_iflag(tty, IXON) && (is_char(tty, c, VSTART) || is_char(tty, c, VSTOP))) {
        tty->is_stopped = is_char(tty, c, VSTOP);
        return;
    }
    int sig = signal_of(tty, c);
    if (sig) {
        receive_signal(tty, c, sig);
        return;
    }
    if (tty->is_stopped && has_iflag(tty, IXON) && has_iflag(tty, IXANY))
        tty->is_stopped = false;
    bool was_return = c == '\r';
    if (was_return) {
        if (has_iflag(tty, IGNCR))
            return;
        if (has_iflag(tty, ICRNL))
            c = '\n';
    } else if (c == '\n' && has_iflag(tty, INLCR)) {
        c = '\r';
    }
    if (!has_lflag(tty, ICANON) || !receive_editing(tty, c))
        receive_plain(tty, c, was_return);
}

/* ---- Reading ---- */

bool n_tty_input_available(const struct n_tty *tty, bool for_poll)
{
    const u8 *cc = tty->termios.c_cc;
    u32 wanted = for_poll && cc[VTIME] == 0 && cc[VMIN] ? cc[VMIN] : 1;
    return has_lflag(tty, ICANON) ? tty->canon_head != tty->tail : tty->head - tty->tail >= wanted;
}

u32 n_tty_input_bytes(const struct n_tty *tty)
{
    u32 bytes = 0;
    if (!has_lflag(tty, ICANON))
        return tty->head - tty->tail;
    for (u32 position = tty->tail; position != tty->canon_head; position++)
        bytes += !(is_line_end(tty, position) && tty->buf[position % N_TTY_BUF_SIZE] == DISABLED_CHAR);
    return bytes;
}

u32 n_tty_take(struct n_tty *tty, char *to, u32 bytes, bool *ends)
{
    u32 nr = 0;
    bool is_canonical = has_lflag(tty, ICANON);
    *ends = false;
    while (tty->tail != (is_canonical ? tty->canon_head : tty->head)) {
        u8 c = *at(tty, tty->tail);
        bool is_end = is_canonical && is_line_end(tty, tty->tail), is_eof = is_end && c == DISABLED_CHAR;
        if (nr == bytes && !is_eof)
            break;
        set_line_end(tty, tty->tail, false);
        tty->tail++;
        if (!is_eof)
            to[nr++] = (char)c;
        if (is_end) {
            *ends = true;
            break;
        }
    }
    return nr;
}
