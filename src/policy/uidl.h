#ifndef POP3_POLICY_UIDL_H
#define POP3_POLICY_UIDL_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#define POP3_UIDL_MAX_LEN 70
#define POP3_GUID_MAX_LEN 100

/* Whether POP3 allows this unique-id: 1 to 70 characters from 0x21 to 0x7E
   (RFC 1939, section 7), and not "." alone, which would end the listing.
   Returns TRUE, or FALSE and an error that says which rule is broken and where,
   in the data stack; it prints no octet of the UIDL that could harm a log or a
   terminal. */
bool pop3_uidl_is_valid(const char *uidl, const char **error_r);

/* The part of a GUID that stays the same when a maildir file loses or gets
   sizes in its name: without fields such as ",S=1234" and ",W=1260" at its end.
   One that is longer than POP3_GUID_MAX_LEN then, or has octets other than 0x21
   to 0x7E, becomes "#" and a hash of itself. In the data stack, or guid
   itself. */
const char *pop3_guid_normalize(const char *guid);

#endif
