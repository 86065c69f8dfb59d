#ifndef POP3_POLICY_DEVICE_NAMES_H
#define POP3_POLICY_DEVICE_NAMES_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* Names of devices: of each a user may have one login. Upper and lower case
   differ. */

#define POP3_DEVICE_NAME_MAX_LEN 64
#define POP3_DEVICES_MAX 16

/* Whether the name has 1 to 64 octets of UTF-8 without white space, commas,
   quotes and what cannot be seen. If not, *error_r says why. */
bool pop3_device_name_is_valid(const char *name, const char **error_r);

/* The setting pop3_policy_device: a name; "" and "none" are NULL. The name is
   in the data stack. Returns 0, or -1 and an error that says what is wrong and
   what was expected; the result is then untouched. */
int pop3_device_parse(const char *text, const char **name_r,
		      const char **error_r);
/* The setting pop3_policy_keep_devices: names with spaces or commas between
   them, no more than 16 and none twice; "" and "none" are no names. *names_r
   ends with NULL and lives in the pool. Returns as above. */
int pop3_devices_parse(const char *text, pool_t pool,
		       const char *const **names_r, const char **error_r);

#endif
