/* What pipe.c and pipe_open.c tell each other. */
#pragma once

#include "pipe_fs_i.h"

struct pipe_inode_info *alloc_pipe_info(void);
void free_pipe_info(struct pipe_inode_info *pipe);
int fifo_open(struct inode *inode, struct file *file);
int pipe_release(struct inode *inode, struct file *file);
