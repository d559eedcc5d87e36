/* Names of files on their way from user memory. */
#include "err.h"
#include "internal.h"
#include "slab.h"
#include "uaccess.h"

static struct kmem_cache *names_cachep;

void namei_init(void)
{
    names_cachep = kmem_cache_create("names_cache", PATH_MAX, 0, SLAB_PANIC, NULL);
}

char *__getname(void)
{
    return kmem_cache_alloc(names_cachep, GFP_KERNEL);
}

void putname(char *name)
{
    kmem_cache_free(names_cachep, name);
}

char *getname_flags(const char __user *user_name, u32 flags)
{
    char *name = __getname();
    if (name == NULL)
        return ERR_PTR(-ENOMEM);
    long length = strncpy_from_user(name, user_name, PATH_MAX);
    if (length == PATH_MAX)
        length = -ENAMETOOLONG;
    if (length == 0 && !(flags & LOOKUP_EMPTY))
        length = -ENOENT;
    if (length >= 0)
        return name;
    putname(name);
    return ERR_PTR(length);
}

char *getname(const char __user *user_name)
{
    return getname_flags(user_name, 0);
}
