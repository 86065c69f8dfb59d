/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "read-full.h"
#include "credentials-private.h"
#include "credential-file.h"

#include <fcntl.h>
#include <unistd.h>

#define MODE_REFUSED (S_IWGRP | S_IXGRP | S_IRWXO)

static int check(const char *path, const struct stat *st, const char **error_r)
{
	if (!S_ISREG(st->st_mode)) {
		*error_r = t_strdup_printf("%s is not a regular file", path);
	} else if ((st->st_mode & MODE_REFUSED) != 0) {
		*error_r = t_strdup_printf("%s has mode 0%o, which gives "
			"others the hashes of passwords, expected 0600, or "
			"0640 for a group that reads it", path,
			(unsigned int)st->st_mode & 07777);
	} else if (st->st_size > CREDENTIALS_MAX_SIZE) {
		*error_r = t_strdup_printf("%s has %"PRIuUOFF_T" octets, "
			"expected at most %u", path, (uoff_t)st->st_size,
			CREDENTIALS_MAX_SIZE);
	} else {
		return 0;
	}
	return -1;
}

static int
read_open_file(int fd, const char *path, string_t **text_r, struct stat *st_r,
	       const char **error_r)
{
	string_t *text;
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0) {
		*error_r = t_strdup_printf("fstat(%s) failed: %m", path);
		return -1;
	}
	if (check(path, &st, error_r) < 0)
		return -1;
	text = str_new(default_pool, st.st_size + 1);
	ret = st.st_size == 0 ? 1 :
		read_full(fd, buffer_append_space_unsafe(text, st.st_size),
			  st.st_size);
	if (ret <= 0) {
		*error_r = ret < 0 ?
			t_strdup_printf("read(%s) failed: %m", path) :
			t_strdup_printf("%s became shorter while it was read",
					path);
		credentials_text_free(&text);
		return -1;
	}
	*text_r = text;
	*st_r = st;
	return 1;
}

int credential_file_read(const char *path, string_t **text_r, struct stat *st_r,
			 const char **error_r)
{
	int fd, ret;

	/* O_NONBLOCK: a FIFO must not make logins wait for a writer */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1) {
		ret = errno == ENOENT ? 0 : -1;
		*error_r = errno == ELOOP ?
			t_strdup_printf("%s is a link, which is not followed",
					path) :
			t_strdup_printf("open(%s) failed: %m", path);
		return ret;
	}
	ret = read_open_file(fd, path, text_r, st_r, error_r);
	i_close_fd(&fd);
	return ret;
}

int credential_file_load(const char *path, struct credentials **credentials_r,
			 struct stat *st_r, const char **error_r)
{
	const char *error;
	string_t *text;
	int ret;

	ret = credential_file_read(path, &text, st_r, error_r);
	if (ret <= 0)
		return ret;
	if (credentials_init(&text, credentials_r, &error) == 0)
		return 1;
	*error_r = t_strdup_printf("%s: %s", path, error);
	return -1;
}
