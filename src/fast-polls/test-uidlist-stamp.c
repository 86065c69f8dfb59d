/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "test-home.h"
#include "uidlist-stamp.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONTENTS "3 V1700000000 N3 G1\n1 :a\n2 :b\n"
#define SAME_SIZE "3 V1700000000 N3 G1\n1 :a\n2 :c\n"
/* Seconds until a file is no longer young. */
#define MIN_AGE 30

static const char *uidlist(void)
{
	return test_home_path("dovecot-uidlist");
}

/* As if the file had been written so long ago. */
static bool take_aged(int age, struct uidlist_stamp *stamp_r)
{
	struct stat st;

	i_zero(stamp_r);
	if (stat(uidlist(), &st) < 0)
		return FALSE;
	return uidlist_stamp_take(uidlist(), FALSE, st.st_ctim.tv_sec + age,
				  stamp_r);
}

static bool holds(const struct uidlist_stamp *stamp)
{
	return uidlist_stamp_holds(uidlist(), FALSE, stamp);
}

static void overwrite(const char *data)
{
	int fd = open(uidlist(), O_WRONLY);

	if (fd == -1 || write(fd, data, strlen(data)) != (ssize_t)strlen(data))
		i_fatal("write(%s) failed: %m", uidlist());
	i_close_fd(&fd);
}

static void set_mtime(time_t sec, long nsec)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT }, { .tv_sec = sec, .tv_nsec = nsec }
	};

	if (utimensat(AT_FDCWD, uidlist(), times, 0) < 0)
		i_fatal("utimensat(%s) failed: %m", uidlist());
}

static void replace(void)
{
	const char *other = test_home_path("other");
	struct stat st;

	if (stat(uidlist(), &st) < 0)
		i_fatal("stat(%s) failed: %m", uidlist());
	test_file_write(other, CONTENTS);
	if (rename(other, uidlist()) < 0)
		i_fatal("rename(%s) failed: %m", other);
	set_mtime(st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static void append(void)
{
	int fd = open(uidlist(), O_WRONLY | O_APPEND);

	if (fd == -1 || write(fd, "3 :c\n", 5) != 5)
		i_fatal("write(%s) failed: %m", uidlist());
	i_close_fd(&fd);
}

static void touch(void)
{
	set_mtime(1700000000, 1);
}

static void change_mode(void)
{
	/* the clock of the file system may be as slow as a hundredth of a
	   second */
	usleep(20 * 1000);
	if (chmod(uidlist(), 0640) < 0)
		i_fatal("chmod(%s) failed: %m", uidlist());
}

static void remove_it(void)
{
	i_unlink(uidlist());
}

static void test_changes(void)
{
	static void (*const changes[])(void) = {
		replace, append, touch, change_mode, remove_it
	};
	struct uidlist_stamp stamp;
	unsigned int i;

	test_begin("uidlist stamp: every change is seen");
	for (i = 0; i < N_ELEMENTS(changes); i++) {
		test_home_begin();
		test_file_write(uidlist(), CONTENTS);
		test_assert_idx(take_aged(MIN_AGE, &stamp), i);
		test_assert_idx(holds(&stamp), i);
		changes[i]();
		test_assert_idx(!holds(&stamp), i);
		test_home_end();
	}
	test_end();
}

static void test_octets(int age, size_t end)
{
	struct uidlist_stamp stamp, other;
	unsigned char *octet = (unsigned char *)&other;
	size_t i;

	test_assert(take_aged(age, &stamp) && holds(&stamp));
	for (i = 0; i < end; i++) {
		if (i >= offsetof(struct uidlist_stamp, is_young) &&
		    i < offsetof(struct uidlist_stamp, checksum))
			continue;
		other = stamp;
		octet[i] ^= 0x10;
		test_assert_idx(!holds(&other), i);
	}
}

static void test_fields(void)
{
	test_begin("uidlist stamp: each of its octets counts");
	test_home_begin();
	test_file_write(uidlist(), CONTENTS);
	test_octets(0, sizeof(struct uidlist_stamp));
	test_octets(MIN_AGE, offsetof(struct uidlist_stamp, checksum));
	test_home_end();
	test_end();
}

static void test_same_second(void)
{
	struct uidlist_stamp stamp, before;

	test_begin("uidlist stamp: written again without another time");
	test_home_begin();
	test_file_write(uidlist(), CONTENTS);
	test_assert(take_aged(MIN_AGE - 1, &before));
	overwrite(SAME_SIZE);
	test_assert(take_aged(MIN_AGE - 1, &stamp));
	test_assert(holds(&stamp));

	/* on a file system with a slow clock nothing else would tell */
	stamp.checksum = before.checksum;
	test_assert(!holds(&stamp));
	overwrite(CONTENTS);
	test_assert(take_aged(MIN_AGE - 1, &stamp));
	test_assert(stamp.checksum == before.checksum && holds(&stamp));
	test_home_end();
	test_end();
}

static void test_age(void)
{
	struct uidlist_stamp stamp;

	test_begin("uidlist stamp: age");
	test_home_begin();
	test_file_write(uidlist(), CONTENTS);
	test_assert(take_aged(MIN_AGE - 1, &stamp) && stamp.is_young == 1);
	test_assert(take_aged(MIN_AGE, &stamp) && stamp.is_young == 0 &&
		    stamp.checksum == 0);
	/* another clock */
	test_assert(take_aged(-1, &stamp) && stamp.is_young == 1);
	set_mtime(time(NULL) + 3600, 0);
	test_assert(take_aged(MIN_AGE, &stamp) && stamp.is_young == 1);
	set_mtime(1, 0);
	test_assert(take_aged(MIN_AGE - 1, &stamp) && stamp.is_young == 1);
	test_home_end();
	test_end();
}

static void test_large(void)
{
	enum { SIZE = 300000 };
	static const off_t offsets[] = { 0, SIZE / 2, SIZE - 1 };
	struct uidlist_stamp stamp, changed;
	unsigned int i;
	int fd;

	test_begin("uidlist stamp: all of a large file is read");
	test_home_begin();
	test_file_write_size(uidlist(), SIZE);
	test_assert(take_aged(0, &stamp) && holds(&stamp));
	for (i = 0; i < N_ELEMENTS(offsets); i++) {
		fd = open(uidlist(), O_WRONLY);
		test_assert_idx(fd != -1 &&
				pwrite(fd, "X", 1, offsets[i]) == 1, i);
		i_close_fd(&fd);
		test_assert_idx(take_aged(0, &changed), i);
		test_assert_idx(changed.checksum != stamp.checksum, i);
		stamp = changed;
	}
	test_home_end();
	test_end();
}

static void test_no_file(void)
{
	struct uidlist_stamp stamp;

	test_begin("uidlist stamp: no file");
	test_home_begin();
	test_file_write(uidlist(), CONTENTS);
	test_assert(take_aged(0, &stamp));
	i_unlink(uidlist());
	test_assert(!uidlist_stamp_take(uidlist(), FALSE, time(NULL), &stamp));
	test_assert(mkdir(uidlist(), 0700) == 0);
	test_assert(!uidlist_stamp_take(uidlist(), FALSE, time(NULL), &stamp));
	test_assert(rmdir(uidlist()) == 0);
	/* nobody waits for a writer */
	test_assert(mkfifo(uidlist(), 0600) == 0);
	test_assert(!uidlist_stamp_take(uidlist(), FALSE, time(NULL), &stamp));
	test_assert(!holds(&stamp));
	test_home_end();
	test_end();
}

static void test_nfs(void)
{
	struct uidlist_stamp stamp;

	test_begin("uidlist stamp: NFS");
	test_home_begin();
	test_file_write(uidlist(), CONTENTS);
	test_assert(uidlist_stamp_take(uidlist(), TRUE, time(NULL), &stamp));
	test_assert(uidlist_stamp_holds(uidlist(), TRUE, &stamp));
	append();
	test_assert(!uidlist_stamp_holds(uidlist(), TRUE, &stamp));
	test_home_end();
	test_end();
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_changes,
		test_fields,
		test_same_second,
		test_age,
		test_large,
		test_no_file,
		test_nfs,
		NULL
	};

	return test_run(tests);
}
