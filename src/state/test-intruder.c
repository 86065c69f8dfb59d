/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-home.h"
#include "test-intruder.h"

#include <sys/stat.h>
#include <unistd.h>

/* It is a state, and of lines like those of a journal. */
static const char *const victim_text =
	"{\"version\":1,\"epoch\":3,\"generation\":4,\"quota\":{\"windows\":"
	"{\"day\":{\"start\":1,\"bytes\":77,\"messages\":7}}}}\n";

void intruder_home_begin(void)
{
	test_home_begin();
	if (mkdir(test_home_path("folder"), 0700) < 0)
		i_fatal("mkdir() failed: %m");
	test_file_write(test_home_path("victim"), victim_text);
}

void intruder_home_end(unsigned int idx)
{
	const char *name;

	test_assert_strcmp_idx(test_file_read(test_home_path("victim")),
			       victim_text, idx);
	test_assert_idx(test_file_mode(test_home_path("victim")) == 0600, idx);
	test_assert_idx(test_dir_count(test_home_path("folder"), "",
				       &name) == 0, idx);
	test_assert_idx(test_file_mode(test_home_path("nothing")) == 0, idx);
	test_home_end();
}

bool intruder_put(const char *path, enum intruder kind)
{
	switch (kind) {
	case LINK_TO_FILE:
		return symlink(test_home_path("victim"), path) == 0;
	case LINK_TO_FOLDER:
		return symlink(test_home_path("folder"), path) == 0;
	case LINK_TO_NOTHING:
		return symlink(test_home_path("nothing"), path) == 0;
	case FIFO:
		return mkfifo(path, 0600) == 0;
	case FOLDER:
		return mkdir(path, 0700) == 0;
	case DEVICE:
		return test_mknod_null(path);
	case OTHERS_FILE:
		test_file_write(path, victim_text);
		return test_chown_other(path);
	case FILE_WITHOUT_RIGHTS:
		test_file_write(path, victim_text);
		return chmod(path, 0) == 0;
	}
	i_unreached();
}

void intruder_assert_same(const char *path, const struct stat *before,
			  unsigned int idx)
{
	struct stat after;

	test_assert_idx(lstat(path, &after) == 0 &&
			before->st_ino == after.st_ino &&
			before->st_mode == after.st_mode &&
			before->st_uid == after.st_uid &&
			before->st_size == after.st_size &&
			before->st_mtime == after.st_mtime, idx);
}
