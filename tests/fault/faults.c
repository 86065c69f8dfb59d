/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* A library for LD_PRELOAD: it counts the calls of a process that change
   something below a folder, writes them down, and harms one of them.

   FAULT_BELOW=FOLDER   only what is below it counts
   FAULT_LOG=FILE       a line for each call, see note()
   FAULT_DATA=1         with the octets that were written, in hexadecimal
   FAULT_AT=N           the call that is harmed, from 1; with the next two it
			is the N-th of those that they fit
   FAULT_CALL=NAME      of that name
   FAULT_PATH=PATTERN   whose path fits, as fnmatch(3) has it, with what comes
			after the folder; "*" stands for "/", too
   FAULT_DO=before      the process is killed before that call,
   FAULT_DO=after       or after it,
   FAULT_DO=half        or when half of the octets are written
   FAULT_DO=short       half of the octets are written, as the call says; the
			next write to the same file fails with ENOSPC
   FAULT_DO=ERRNO       the call is not made, and fails with this number
   FAULT_STICKY=1       and so do all later ones, of a full disk (ENOSPC) those
			that need space
   FAULT_OPEN=1         to open a file counts also where this changes nothing
   FAULT_PATIENCE=MS    the process exits with FAULT_HUNG when it has slept, or
			waited in vain, for so long in all, as it wanted to:
			for a lock that nobody will release */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#define FAULT_HUNG 99
/* out of the way of descriptors that tests count */
#define LOG_FD_MIN 200

enum harm {
	HARM_NONE,
	HARM_DIE_AFTER,
	HARM_DIE_HALF,
	HARM_SHORT,
	HARM_FAIL
};

static const char *below, *what, *call_name, *pattern;
static int log_fd = -1, harm_errno;
static unsigned long at, count, fitting, patience, waits;
static bool with_data, sticky, with_opens, is_harmed;
/* the file that is full since a short write */
static dev_t full_dev;
static ino_t full_ino;

/* Dovecot writes the title of the process over its environment. */
static const char *copy(const char *name)
{
	const char *value = getenv(name);

	return value == NULL ? NULL : strdup(value);
}

static unsigned long number(const char *name)
{
	const char *value = getenv(name);

	return value == NULL ? 0 : strtoul(value, NULL, 10);
}

__attribute__((constructor)) static void init(void)
{
	const char *log = getenv("FAULT_LOG");
	int fd;

	what = copy("FAULT_DO");
	harm_errno = number("FAULT_DO");
	at = number("FAULT_AT");
	call_name = copy("FAULT_CALL");
	pattern = copy("FAULT_PATH");
	patience = number("FAULT_PATIENCE");
	with_data = number("FAULT_DATA") != 0;
	sticky = number("FAULT_STICKY") != 0;
	with_opens = number("FAULT_OPEN") != 0;
	if (log != NULL) {
		fd = syscall(SYS_openat, AT_FDCWD, log,
			     O_WRONLY | O_CREAT | O_APPEND, 0666);
		log_fd = fcntl(fd, F_DUPFD_CLOEXEC, LOG_FD_MIN);
		syscall(SYS_close, fd);
	}
	below = copy("FAULT_BELOW");
}

/* -- which file */

static const char *fd_path(int fd, char *path)
{
	char name[64];
	ssize_t len;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	len = syscall(SYS_readlinkat, AT_FDCWD, name, path, PATH_MAX - 1);
	path[len < 0 ? 0 : len] = '\0';
	return path;
}

static const char *at_path(int dir_fd, const char *name, char *path)
{
	size_t len = 0;

	if (name[0] == '/') {
		snprintf(path, PATH_MAX, "%s", name);
		return path;
	}
	if (dir_fd != AT_FDCWD)
		fd_path(dir_fd, path);
	else if (syscall(SYS_getcwd, path, PATH_MAX) < 0)
		path[0] = '\0';
	len = strlen(path);
	snprintf(path + len, PATH_MAX - len, "/%s", name);
	return path;
}

static bool is_below(const char *path)
{
	size_t len;

	if (below == NULL)
		return false;
	len = strlen(below);
	return strncmp(path, below, len) == 0 &&
		(path[len] == '/' || path[len] == '\0');
}

static bool fd_is_below(int fd, char *path)
{
	return below != NULL && fd > STDERR_FILENO &&
		is_below(fd_path(fd, path));
}

static bool name_is_below(int dir_fd, const char *name, char *path)
{
	return below != NULL && is_below(at_path(dir_fd, name, path));
}

/* -- what is written down */

static void put_hex(FILE *file, const unsigned char *data, long size)
{
	for (long i = 0; i < size; i++)
		fprintf(file, "%02x", data[i]);
}

static ino_t inode(int fd, const char *path)
{
	struct stat st;
	int ret;

	ret = fd >= 0 ? fstat(fd, &st) :
		fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
	return ret < 0 ? 0 : st.st_ino;
}

/* A line of the log: number, name, inode, offset, size, result (below 0:
   errno), path, second path or "-", and with FAULT_DATA what was written.
   The name is "tell" for what the client was told, and "harm" before the line
   of the call that is harmed, if that has one: these are no calls. */
static void
note(const char *name, int fd, const char *path, const char *path2,
     long offset, long size, long result, const void *data)
{
	int old_errno = errno;
	char *line = NULL;
	size_t len = 0;
	FILE *file;

	if (log_fd == -1)
		return;
	file = open_memstream(&line, &len);
	fprintf(file, "%lu %s %lu %ld %ld %ld %s %s", count, name,
		(unsigned long)inode(fd, path2 != NULL ? path2 : path),
		offset, size, result < 0 ? -(long)old_errno : result, path,
		path2 != NULL ? path2 : "-");
	if (data != NULL && with_data && result > 0) {
		putc(' ', file);
		put_hex(file, data, result);
	}
	putc('\n', file);
	fclose(file);
	syscall(SYS_write, log_fd, line, len);
	free(line);
	errno = old_errno;
}

/* -- what happens to it */

static void die(void)
{
	syscall(SYS_kill, getpid(), SIGKILL);
	for (;;)
		pause();
}

/* A full disk lets go of what is there. */
static bool works_when_full(const char *name)
{
	static const char *const names[] = {
		"unlink", "unlinkat", "rmdir", "chmod", "fchmod", "chown",
		"fchown", "utime", "utimes", "futimens", "ftruncate",
		"truncate", "open"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool fits(const char *name, const char *path)
{
	if (call_name != NULL && strcmp(call_name, name) != 0)
		return false;
	if (pattern == NULL)
		return true;
	/* of two names the first one may be elsewhere */
	if (is_below(path))
		path += strlen(below);
	return fnmatch(pattern, path, 0) == 0;
}

/* Counts a call; dies, or says what is to happen to it. */
static enum harm begin(const char *name, const char *path)
{
	count++;
	if (what == NULL || at == 0)
		return HARM_NONE;
	if (is_harmed) {
		if (!sticky || harm_errno == 0 ||
		    (harm_errno == ENOSPC && works_when_full(name)))
			return HARM_NONE;
		return HARM_FAIL;
	}
	if (!fits(name, path) || ++fitting < at)
		return HARM_NONE;
	is_harmed = true;
	note("harm", -1, path, NULL, 0, 0, 0, NULL);
	if (strcmp(what, "before") == 0)
		die();
	if (strcmp(what, "after") == 0)
		return HARM_DIE_AFTER;
	if (strcmp(what, "half") == 0)
		return HARM_DIE_HALF;
	return strcmp(what, "short") == 0 ? HARM_SHORT : HARM_FAIL;
}

static int fail(void)
{
	errno = harm_errno;
	return -1;
}

static void end(enum harm harm)
{
	if (harm == HARM_DIE_AFTER || harm == HARM_DIE_HALF)
		die();
}

#define REAL(name) \
	static __typeof__(name) *real; \
	if (real == NULL) \
		real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* -- octets */

static bool is_full(int fd)
{
	struct stat st;

	return full_ino != 0 && fstat(fd, &st) == 0 &&
		st.st_ino == full_ino && st.st_dev == full_dev;
}

static void now_full(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0) {
		full_dev = st.st_dev;
		full_ino = st.st_ino;
	}
}

static long offset_of(int fd)
{
	struct stat st;

	if ((fcntl(fd, F_GETFL) & O_APPEND) != 0 && fstat(fd, &st) == 0)
		return st.st_size;
	return lseek(fd, 0, SEEK_CUR);
}

struct put {
	const char *name;
	int fd;
	const void *data;
	/* SYS_sendfile */
	int in_fd;
	off_t *in_offset;
	/* SYS_pwrite64 */
	off_t offset;
};

static ssize_t put_now(long call, const struct put *put, size_t size)
{
	if (call == SYS_write)
		return syscall(call, put->fd, put->data, size);
	if (call == SYS_pwrite64)
		return syscall(call, put->fd, put->data, size, put->offset);
	return syscall(call, put->fd, put->in_fd, put->in_offset, size);
}

static ssize_t
do_put(long call, const struct put *put, size_t size, const char *path)
{
	enum harm harm;
	long offset;
	ssize_t ret;

	if (is_full(put->fd)) {
		errno = ENOSPC;
		return -1;
	}
	harm = begin(put->name, path);
	offset = call == SYS_pwrite64 ? put->offset : offset_of(put->fd);
	if (harm == HARM_FAIL)
		ret = fail();
	else if ((harm == HARM_SHORT || harm == HARM_DIE_HALF) && size > 1) {
		ret = put_now(call, put, size / 2);
		now_full(put->fd);
	} else
		ret = put_now(call, put, size);
	note(put->name, put->fd, path, NULL, offset, size, ret, put->data);
	end(harm);
	return ret;
}

ssize_t write(int fd, const void *data, size_t size)
{
	struct put put = { .name = "write", .fd = fd, .data = data };
	char path[PATH_MAX];
	ssize_t ret;

	if (fd_is_below(fd, path))
		return do_put(SYS_write, &put, size, path);
	ret = put_now(SYS_write, &put, size);
	/* what the client was told */
	if (below != NULL && fd == STDOUT_FILENO)
		note("tell", fd, "-", NULL, 0, size, ret, data);
	return ret;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	struct put put = {
		.name = "pwrite", .fd = fd, .data = data, .offset = offset
	};
	char path[PATH_MAX];

	if (!fd_is_below(fd, path))
		return put_now(SYS_pwrite64, &put, size);
	return do_put(SYS_pwrite64, &put, size, path);
}

ssize_t writev(int fd, const struct iovec *iov, int iov_count)
{
	struct put put = { .name = "writev", .fd = fd };
	char path[PATH_MAX], *all;
	size_t size = 0;
	bool counts = fd_is_below(fd, path);
	ssize_t ret;

	if (below == NULL || (!counts && fd != STDOUT_FILENO))
		return syscall(SYS_writev, fd, iov, iov_count);
	for (int i = 0; i < iov_count; i++)
		size += iov[i].iov_len;
	put.data = all = malloc(size + 1);
	size = 0;
	for (int i = 0; i < iov_count; i++) {
		memcpy(all + size, iov[i].iov_base, iov[i].iov_len);
		size += iov[i].iov_len;
	}
	if (counts)
		ret = do_put(SYS_write, &put, size, path);
	else {
		ret = put_now(SYS_write, &put, size);
		note("tell", fd, "-", NULL, 0, size, ret, all);
	}
	free(all);
	return ret;
}

ssize_t sendfile(int fd, int in_fd, off_t *in_offset, size_t size)
{
	struct put put = {
		.name = "sendfile", .fd = fd, .in_fd = in_fd,
		.in_offset = in_offset
	};
	char path[PATH_MAX];

	if (below != NULL && with_data) {
		/* the caller reads and writes then, and all is noted */
		errno = EINVAL;
		return -1;
	}
	if (!fd_is_below(fd, path))
		return put_now(SYS_sendfile, &put, size);
	return do_put(SYS_sendfile, &put, size, path);
}

/* -- open files */

#define ON_FD(name, decl, args, offset, size) \
int name decl \
{ \
	char path[PATH_MAX]; \
	enum harm harm; \
	int ret; \
	REAL(name); \
\
	if (!fd_is_below(fd, path)) \
		return real args; \
	harm = begin(#name, path); \
	ret = harm == HARM_FAIL ? fail() : real args; \
	note(#name, fd, path, NULL, offset, size, ret, NULL); \
	end(harm); \
	return ret; \
}

ON_FD(ftruncate, (int fd, off_t length), (fd, length), length, 0)
ON_FD(fallocate, (int fd, int mode, off_t start, off_t length),
      (fd, mode, start, length), start, length)
ON_FD(fsync, (int fd), (fd), 0, 0)
ON_FD(fdatasync, (int fd), (fd), 0, 0)
ON_FD(fchmod, (int fd, mode_t mode), (fd, mode), mode, 0)
ON_FD(fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid), uid, gid)
ON_FD(futimens, (int fd, const struct timespec times[2]), (fd, times), 0, 0)

int posix_fallocate(int fd, off_t start, off_t length)
{
	char path[PATH_MAX];
	enum harm harm;
	int ret;
	REAL(posix_fallocate);

	if (!fd_is_below(fd, path))
		return real(fd, start, length);
	harm = begin("posix_fallocate", path);
	/* it returns what others leave in errno */
	ret = harm == HARM_FAIL ? harm_errno : real(fd, start, length);
	errno = ret;
	note("posix_fallocate", fd, path, NULL, start, length,
	     ret == 0 ? 0 : -1, NULL);
	end(harm);
	return ret;
}

/* -- names */

#define ON_NAME(name, decl, args, dir_fd, offset) \
int name decl \
{ \
	char path[PATH_MAX]; \
	enum harm harm; \
	int ret; \
	REAL(name); \
\
	if (!name_is_below(dir_fd, file, path)) \
		return real args; \
	harm = begin(#name, path); \
	ret = harm == HARM_FAIL ? fail() : real args; \
	note(#name, -1, path, NULL, offset, 0, ret, NULL); \
	end(harm); \
	return ret; \
}

ON_NAME(unlink, (const char *file), (file), AT_FDCWD, 0)
ON_NAME(unlinkat, (int dir_fd, const char *file, int flags),
	(dir_fd, file, flags), dir_fd, flags)
ON_NAME(rmdir, (const char *file), (file), AT_FDCWD, 0)
ON_NAME(mkdir, (const char *file, mode_t mode), (file, mode), AT_FDCWD, mode)
ON_NAME(mkdirat, (int dir_fd, const char *file, mode_t mode),
	(dir_fd, file, mode), dir_fd, mode)
ON_NAME(chmod, (const char *file, mode_t mode), (file, mode), AT_FDCWD, mode)
ON_NAME(chown, (const char *file, uid_t uid, gid_t gid), (file, uid, gid),
	AT_FDCWD, 0)
ON_NAME(truncate, (const char *file, off_t length), (file, length), AT_FDCWD,
	length)
ON_NAME(utime, (const char *file, const struct utimbuf *times), (file, times),
	AT_FDCWD, 0)
ON_NAME(utimes, (const char *file, const struct timeval times[2]),
	(file, times), AT_FDCWD, 0)

#define ON_TWO_NAMES(name, decl, args, dir_fd, dir_fd2) \
int name decl \
{ \
	char path[PATH_MAX], path2[PATH_MAX]; \
	enum harm harm; \
	bool counts; \
	int ret; \
	REAL(name); \
\
	counts = name_is_below(dir_fd, file, path); \
	counts = name_is_below(dir_fd2, file2, path2) || counts; \
	if (!counts) \
		return real args; \
	harm = begin(#name, path); \
	ret = harm == HARM_FAIL ? fail() : real args; \
	note(#name, -1, path, path2, 0, 0, ret, NULL); \
	end(harm); \
	return ret; \
}

ON_TWO_NAMES(rename, (const char *file, const char *file2), (file, file2),
	     AT_FDCWD, AT_FDCWD)
ON_TWO_NAMES(renameat, (int dir, const char *file, int dir2,
			const char *file2),
	     (dir, file, dir2, file2), dir, dir2)
ON_TWO_NAMES(link, (const char *file, const char *file2), (file, file2),
	     AT_FDCWD, AT_FDCWD)
ON_TWO_NAMES(linkat, (int dir, const char *file, int dir2, const char *file2,
		      int flags),
	     (dir, file, dir2, file2, flags), dir, dir2)
ON_TWO_NAMES(symlink, (const char *file, const char *file2), (file, file2),
	     AT_FDCWD, AT_FDCWD)

/* -- to open, which makes a file, empties one, or changes nothing */

static int do_open(int dir_fd, const char *file, int flags, mode_t mode)
{
	char path[PATH_MAX];
	struct stat st;
	enum harm harm;
	const char *name = "open";
	int fd;

	if (!name_is_below(dir_fd, file, path))
		return syscall(SYS_openat, dir_fd, file, flags, mode);
	if ((flags & O_CREAT) != 0 &&
	    fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		name = "create";
	else if ((flags & O_TRUNC) != 0)
		name = "empty";
	else if (!with_opens)
		return syscall(SYS_openat, dir_fd, file, flags, mode);
	harm = begin(name, path);
	fd = harm == HARM_FAIL ? fail() :
		syscall(SYS_openat, dir_fd, file, flags, mode);
	note(name, fd, path, NULL, flags, 0, fd, NULL);
	end(harm);
	return fd;
}

#define MODE(flags) \
	va_list args; \
	mode_t mode = 0; \
\
	if ((flags & (O_CREAT | __O_TMPFILE)) != 0) { \
		va_start(args, flags); \
		mode = va_arg(args, mode_t); \
		va_end(args); \
	}

int open(const char *file, int flags, ...)
{
	MODE(flags)
	return do_open(AT_FDCWD, file, flags, mode);
}

int openat(int dir_fd, const char *file, int flags, ...)
{
	MODE(flags)
	return do_open(dir_fd, file, flags, mode);
}

int creat(const char *file, mode_t mode)
{
	return do_open(AT_FDCWD, file, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* what _FORTIFY_SOURCE makes of them where there is no mode */
int __open_2(const char *file, int flags);
int __open_2(const char *file, int flags)
{
	return do_open(AT_FDCWD, file, flags, 0);
}

int __openat_2(int dir_fd, const char *file, int flags);
int __openat_2(int dir_fd, const char *file, int flags)
{
	return do_open(dir_fd, file, flags, 0);
}

/* -- to wait for a lock file: by sleep, or for a change of its folder */

static void waited(long milliseconds)
{
	waits += milliseconds;
	if (patience != 0 && waits > patience)
		_exit(FAULT_HUNG);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	REAL(nanosleep);

	waited(time->tv_sec * 1000 + time->tv_nsec / 1000000);
	return real(time, left);
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	int ret;
	REAL(epoll_wait);

	ret = real(fd, events, max, timeout);
	/* in vain, however slow the machine is */
	if (ret == 0)
		waited(timeout);
	return ret;
}
