#ifndef POP3_POLICY_STATE_DIR_H
#define POP3_POLICY_STATE_DIR_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct file_lock;

/* The state folder belongs to the user, who may put anything there: files are
   opened relative to the folder, links are never followed, and what another
   user owns is not taken. */
struct state_dir {
	/* lives at least as long as this struct */
	const char *path;
	int fd;
};

/* Open the folder. Returns 1 and *dir_r, to be closed, 0 if it does not exist,
   -1 and an error if it is not a folder of ours. */
int state_dir_open(const char *path, struct state_dir *dir_r,
		   const char **error_r);
void state_dir_close(struct state_dir *dir);
/* Make the folder (0700) with its parents. Returns 0, also if it exists
   already, or -1 with errno and an error. */
int state_dir_create(const char *path, bool sync, const char **error_r);

/* Open a file in the folder with openat()'s flags (0600 if it is created).
   Returns 1 and *fd_r, 0 with errno and an error if it does not exist, -1 with
   errno and an error. errno is EPERM when it is not a regular file of this
   user. */
int state_dir_open_file(const struct state_dir *dir, const char *name,
			int flags, int *fd_r, const char **error_r);
/* Open a file in the folder for reading and writing, make it if there is none,
   and lock it against other processes, which must let go of it within ten
   seconds. Returns 0, *fd_r and *lock_r, which closes it when it is freed; or
   -1 with errno, which is of a file system that takes no writes only if that
   was the reason, and an error. */
int state_dir_lock_file(const struct state_dir *dir, const char *name,
			int *fd_r, struct file_lock **lock_r,
			const char **error_r);
/* Write a new file with this text in the place of one that was left there. Only
   one process at a time may do so. Returns 0, or -1 with errno and an error;
   then there is none. */
int state_dir_write_file(const struct state_dir *dir, const char *name,
			 const string_t *text, bool sync, const char **error_r);
/* Put a file with this text in the place of the one of this name, at once: who
   reads sees the old or the new one. Only one process at a time may do so.
   Returns 0, or -1 with errno and an error; then the old one is still there. To
   outlive a crash for sure, the folder must be synced then. */
int state_dir_replace_file(const struct state_dir *dir, const char *name,
			   const string_t *text, bool sync,
			   const char **error_r);
/* The name under which what is of no use in the file of this name is kept, in
   the data stack. No file has it yet. */
const char *
state_dir_corrupt_name(const struct state_dir *dir, const char *name);
/* Returns 0, or -1 with errno and an error. */
int state_dir_sync(const struct state_dir *dir, const char **error_r);

#endif
