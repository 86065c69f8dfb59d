#ifndef POP3_POLICY_TEST_INTRUDER_H
#define POP3_POLICY_TEST_INTRUDER_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct stat;

/* What the user has put in place of a file or folder of ours. */
enum intruder {
	LINK_TO_FILE,
	LINK_TO_FOLDER,
	LINK_TO_NOTHING,
	FIFO,
	FOLDER,
	DEVICE,
	OTHERS_FILE,
	FILE_WITHOUT_RIGHTS
};

/* A home with the file and the folder that links lead to. At the end they must
   be what they were. */
void intruder_home_begin(void);
void intruder_home_end(unsigned int idx);

/* Returns FALSE if this process may not make it. */
bool intruder_put(const char *path, enum intruder kind);
/* What is there must be what was put there. */
void intruder_assert_same(const char *path, const struct stat *before,
			  unsigned int idx);

#endif
