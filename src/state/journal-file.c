/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "journal-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns 1 and the header, which stays if it is damaged, 0 if there is no whole
   line, -1 with errno and an error. */
static int
read_header(const struct state_dir *dir, struct journal_file *file,
	    const char **error_r)
{
	/* a damaged first line may be longer */
	char buf[JOURNAL_LINE_MAX_SIZE + 1];
	const char *end, *error;
	ssize_t size;

	size = pread(file->fd, buf, sizeof(buf), 0);
	if (size < 0) {
		*error_r = t_strdup_printf("read(%s/%s) failed: %m", dir->path,
					   file->name);
		return -1;
	}
	end = memchr(buf, '\n', size);
	if (end == NULL)
		return (size_t)size < sizeof(buf) ? 0 : 1;
	if (policy_journal_header_parse(buf, end - buf, &file->header,
					&error) ==
	    POLICY_JOURNAL_HEADER_TOO_NEW) {
		*error_r = t_strdup_printf("%s/%s: %s", dir->path, file->name,
					   error);
		errno = EINVAL;
		return -1;
	}
	return 1;
}

static int
check_open_file(const struct state_dir *dir, uint32_t generation,
		struct journal_file *file, const char **error_r)
{
	struct stat st;
	int ret;

	if (fstat(file->fd, &st) < 0) {
		*error_r = t_strdup_printf("fstat(%s/%s) failed: %m", dir->path,
					   file->name);
		return -1;
	}
	file->size = st.st_size;
	ret = read_header(dir, file, error_r);
	if (ret <= 0)
		return ret;
	if (generation != 0 && generation != file->header.generation)
		return 0;
	if (file->size > JOURNAL_MAX_SIZE) {
		*error_r = t_strdup_printf("%s/%s has %"PRIuUOFF_T" octets, "
			"expected at most %u", dir->path, file->name,
			file->size, JOURNAL_MAX_SIZE);
		errno = EFBIG;
		return -1;
	}
	return 1;
}

static int
open_name(const struct state_dir *dir, const char *name, uint32_t generation,
	  int flags, struct journal_file *file_r, const char **error_r)
{
	struct journal_file file = { .name = name };
	int ret, old_errno;

	ret = state_dir_open_file(dir, name, flags, &file.fd, error_r);
	if (ret <= 0)
		return ret;
	ret = check_open_file(dir, generation, &file, error_r);
	if (ret > 0) {
		*file_r = file;
	} else {
		old_errno = errno;
		i_close_fd(&file.fd);
		errno = old_errno;
	}
	return ret;
}

int journal_file_open(const struct state_dir *dir, uint32_t generation,
		      int flags, struct journal_file *file_r,
		      const char **error_r)
{
	/* the new one may be renamed by another process between the first two
	   steps */
	static const char *const names[] = {
		JOURNAL_NAME, JOURNAL_NEW_NAME, JOURNAL_NAME
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < N_ELEMENTS(names) && ret == 0; i++) {
		ret = open_name(dir, names[i], generation, flags, file_r,
				error_r);
	}
	return ret;
}

void journal_file_close(struct journal_file *file)
{
	i_close_fd(&file->fd);
}

int journal_file_install(const struct state_dir *dir, const char **error_r)
{
	if (renameat(dir->fd, JOURNAL_NEW_NAME, dir->fd, JOURNAL_NAME) == 0)
		return 0;
	*error_r = t_strdup_printf("rename(%s/"JOURNAL_NEW_NAME") failed: %m",
				   dir->path);
	return -1;
}
