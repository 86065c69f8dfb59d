#ifndef POP3_POLICY_TEST_UIDL_FORMAT_H
#define POP3_POLICY_TEST_UIDL_FORMAT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct uidl_template;

/* The line of Dovecot that this is compiled for, and that a format is known
   to. */
enum test_uidl_line {
	TEST_UIDL_2_3 = 1,
	TEST_UIDL_2_4
};

enum test_uidl_line test_uidl_own_line(void);

unsigned int test_random_below(unsigned int limit);

/* The template that a format was taken apart to asks for what Dovecot asks for,
   and prints what Dovecot makes of the format and some random values. */
void test_uidl_as_dovecot(const char *format,
			  const struct uidl_template *tmpl, unsigned int idx);

#endif
