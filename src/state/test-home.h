#ifndef POP3_POLICY_TEST_HOME_H
#define POP3_POLICY_TEST_HOME_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* What tests need that write state: a clock, a home of a user, and ways to make
   it as bad as homes get. What fails here is no failure of what is tested: the
   program ends. Strings are returned in the data stack. */

/* What time() returns in this program; 0 is what it should return. */
extern volatile time_t test_time;

/* Make a new home in the temporary folder of the system, and remove it with all
   that is in it. */
void test_home_begin(void);
void test_home_end(void);
/* The path of something in the home. */
const char *test_home_path(const char *name);

void test_file_write(const char *path, const char *data);
void test_file_write_size(const char *path, size_t size);
/* Make a file of all room that there is for data. */
void test_disk_fill(const char *path);
/* NULL if the file cannot be opened. */
const char *test_file_read(const char *path);
/* Permissions and other bits below the file type; 0 if there is nothing. */
unsigned int test_file_mode(const char *path);
/* How many entries of the folder have a name that begins so. *name_r is the last
   of them. */
unsigned int
test_dir_count(const char *path, const char *prefix, const char **name_r);

/* Root may open everything. Become a user who may not, to whom the home is
   given; a user who is not root stays who he is. */
void test_user_begin(void);
void test_user_end(void);

/* The functions below need rights that even root lacks in some containers. They
   return FALSE then, after a word to who reads the output of the tests. */
bool test_mknod_null(const char *path);
bool test_chown_other(const char *path);
bool test_mount_tmpfs(const char *path, const char *options);
void test_mount_read_only(const char *path, bool read_only);
void test_umount(const char *path);

#endif
