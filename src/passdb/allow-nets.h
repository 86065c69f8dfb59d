#ifndef POP3_POLICY_ALLOW_NETS_H
#define POP3_POLICY_ALLOW_NETS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "credential.h"

/* The field allow_nets that admits whom both these networks of an app password
   admit and the value that the field has already, which is NULL if it has none:
   auth checks only what it has in its cache. It is "" if that is nobody, and
   lives in the data stack. */
const char *
allow_nets_make(const char *known,
		const ARRAY_TYPE(credential_network) *networks);

#endif
