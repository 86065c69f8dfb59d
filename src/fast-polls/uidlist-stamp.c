/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "nfs-workarounds.h"
#include "uidlist-stamp.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than the coarsest clock of a file system (two seconds), and more than the
   clocks of an NFS server and its client should be apart. */
#define MIN_AGE_SECS 30

/* Opening asks an NFS server for what stat() may remember. It must not wait for
   somebody to write into a FIFO. */
static int open_uidlist(const char *path, bool nfs_flush)
{
	if (nfs_flush) {
		nfs_flush_file_handle_cache(path);
		nfs_flush_attr_cache_unlocked(path);
	}
	return nfs_safe_open(path, O_RDONLY | O_NONBLOCK);
}

static bool read_attributes(int fd, struct uidlist_stamp *stamp_r)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return FALSE;
	i_zero(stamp_r);
	stamp_r->device = st.st_dev;
	stamp_r->inode = st.st_ino;
	stamp_r->size = st.st_size;
	stamp_r->mtime = st.st_mtim.tv_sec;
	stamp_r->mtime_nsecs = st.st_mtim.tv_nsec;
	stamp_r->ctime = st.st_ctim.tv_sec;
	stamp_r->ctime_nsecs = st.st_ctim.tv_nsec;
	return TRUE;
}

static bool
attributes_equal(const struct uidlist_stamp *a, const struct uidlist_stamp *b)
{
	return a->device == b->device && a->inode == b->inode &&
		a->size == b->size && a->mtime == b->mtime &&
		a->mtime_nsecs == b->mtime_nsecs && a->ctime == b->ctime &&
		a->ctime_nsecs == b->ctime_nsecs;
}

/* Eight octets at a time, as a CRC would be a sixth of a poll of a large mailbox.
   It is for what changes without intent. The size is part of the stamp, so the
   last word may be filled up. */
static uint64_t
checksum_more(uint64_t checksum, const unsigned char *data, size_t size)
{
	const uint64_t factor = 0x9e3779b97f4a7c15;
	uint64_t word;
	size_t i, part;

	for (i = 0; i < size; i += part) {
		part = I_MIN(size - i, sizeof(word));
		word = 0;
		memcpy(&word, data + i, part);
		checksum = (checksum ^ word) * factor;
		checksum ^= checksum >> 32;
	}
	return checksum;
}

static bool read_checksum(int fd, uint32_t *checksum_r)
{
	unsigned char buf[IO_BLOCK_SIZE];
	uint64_t checksum = 0;
	ssize_t ret;

	while ((ret = read(fd, buf, sizeof(buf))) > 0)
		checksum = checksum_more(checksum, buf, ret);
	*checksum_r = (uint32_t)checksum;
	return ret == 0;
}

/* A time of the future belongs to another clock: it is young as well. */
static bool is_old(uint64_t changed, time_t now)
{
	return changed + MIN_AGE_SECS <= (uint64_t)now;
}

static bool take(int fd, time_t now, struct uidlist_stamp *stamp_r)
{
	struct uidlist_stamp again;

	if (!read_attributes(fd, stamp_r))
		return FALSE;
	stamp_r->is_young = is_old(stamp_r->mtime, now) &&
		is_old(stamp_r->ctime, now) ? 0 : 1;
	if (stamp_r->is_young == 0)
		return TRUE;
	return read_checksum(fd, &stamp_r->checksum) &&
		read_attributes(fd, &again) &&
		attributes_equal(stamp_r, &again);
}

bool uidlist_stamp_take(const char *path, bool nfs_flush, time_t now,
			struct uidlist_stamp *stamp_r)
{
	int fd = open_uidlist(path, nfs_flush);
	bool ret;

	if (fd == -1)
		return FALSE;
	ret = take(fd, now, stamp_r);
	i_close_fd(&fd);
	return ret;
}

static bool holds(int fd, const struct uidlist_stamp *stamp)
{
	struct uidlist_stamp current;

	if (!read_attributes(fd, &current) ||
	    !attributes_equal(stamp, &current))
		return FALSE;
	return stamp->is_young == 0 ||
		(read_checksum(fd, &current.checksum) &&
		 current.checksum == stamp->checksum);
}

bool uidlist_stamp_holds(const char *path, bool nfs_flush,
			 const struct uidlist_stamp *stamp)
{
	int fd = open_uidlist(path, nfs_flush);
	bool ret;

	if (fd == -1)
		return FALSE;
	ret = holds(fd, stamp);
	i_close_fd(&fd);
	return ret;
}
