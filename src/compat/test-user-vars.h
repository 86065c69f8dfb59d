#ifndef POP3_POLICY_TEST_USER_VARS_H
#define POP3_POLICY_TEST_USER_VARS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Variables of a user, as this line of Dovecot spells them. */
#if DOVECOT_PREREQ(2, 4, 0)
#  define USER "%{user}"
#  define LOCAL "%{user | username}"
#  define DOMAIN "%{user | domain}"
#  define LOWER "%{user | lower}"
#  define CUT "%{user | substr(1)}"
#else
#  define USER "%u"
#  define LOCAL "%n"
#  define DOMAIN "%{domain}"
#  define LOWER "%Lu"
#  define CUT "%1.20u"
#endif

#endif
