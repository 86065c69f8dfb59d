#ifndef POP3_POLICY_COMPAT_MAIL_CACHE_H
#define POP3_POLICY_COMPAT_MAIL_CACHE_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

struct mail_cache;

/* The index in this cache of a field of text that is kept for as long as the
   message is there, however rarely it is asked for. */
unsigned int
compat_mail_cache_register_text(struct mail_cache *cache, const char *name);

#endif
