#ifndef POP3_POLICY_UIDLIST_STAMP_H
#define POP3_POLICY_UIDLIST_STAMP_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* What tells that dovecot-uidlist is the file that it was. It lies in Dovecot's
   index as it is here: no padding, octets in the order of the host. */
struct uidlist_stamp {
	uint64_t device;
	uint64_t inode;
	uint64_t size;
	uint64_t mtime;
	uint64_t ctime;
	uint32_t mtime_nsecs;
	uint32_t ctime_nsecs;
	/* The file was written so short a time before that it may have been
	   written once more without a change of the above: then its contents
	   have to have this checksum as well. */
	uint32_t is_young;
	uint32_t checksum;
};

/* Returns TRUE, or FALSE if the file cannot be read or is being written. With
   nfs_flush the attributes that an NFS client remembers are asked for again. */
bool uidlist_stamp_take(const char *path, bool nfs_flush, time_t now,
			struct uidlist_stamp *stamp_r);
/* Whether the file is that of the stamp. FALSE also if it cannot be read. */
bool uidlist_stamp_holds(const char *path, bool nfs_flush,
			 const struct uidlist_stamp *stamp);

#endif
