#ifndef POP3_POLICY_SETTINGS_H
#define POP3_POLICY_SETTINGS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "login-delay.h"
#include "quota.h"
#include "retention-policy.h"

struct mail_user;

/* The kinds of store that pop3_policy_state may name. */
#define POP3_POLICY_STATE_FILE_PREFIX "file:"
#define POP3_POLICY_STATE_DICT_PREFIX "dict:"

/* The settings, by the same names on all Dovecot lines: values of plugin {} on
   2.3, global settings on 2.4. Userdb fields of these names override them. */
struct pop3_policy_settings {
	pool_t pool;

	/* limits of what a user may download, see quota-text.h; "" is none */
	const char *pop3_policy_quota;
	/* the socket of a script that hears when much of a limit is used, see
	   socket-name.h; "" is none */
	const char *pop3_policy_quota_warning;
	/* what becomes of TOP when RETR would be refused: "headers" refuses a
	   TOP with body lines only if it would send the whole message, "deny"
	   refuses each TOP with body lines */
	const char *pop3_policy_quota_top;
	/* what becomes of a download over quota: "deny" or "throttle RATE" */
	const char *pop3_policy_quota_action;
	/* how fast each session may be, see rate-text.h */
	const char *pop3_policy_rate;
	/* "file:DIR", the state folder, or "dict:NAME" (2.3: "dict:URI"), with
	   variables */
	const char *pop3_policy_state;
	/* a session whose state cannot be known: "fail" refuses it, "ignore"
	   runs it as if there were no policy */
	const char *pop3_policy_on_error;
	/* the time between two logins, and how many need not wait for it, see
	   login-delay-text.h */
	const char *pop3_policy_login_delay;
	const char *pop3_policy_login_burst;
	/* percent of the known messages: when more cannot be found in a mailbox
	   that is another one, the session is refused; "100" is never */
	const char *pop3_policy_uidl_alarm;
	/* "yes" answers from what earlier sessions have learnt of the mailbox,
	   "no" asks Dovecot each time, as a session without us does */
	const char *pop3_policy_fast_polls;
	/* a search query: clients are shown what it finds; "" is everything */
	const char *pop3_policy_view;
	/* how long mail stays after its first download, and after delivery if
	   it was never downloaded, see retention-text.h */
	const char *pop3_policy_keep_downloaded;
	const char *pop3_policy_keep_undownloaded;
	/* how much the maildrop may have */
	const char *pop3_policy_keep_max_messages;
	const char *pop3_policy_keep_max_size;
	/* "expunge" or "move MAILBOX" */
	const char *pop3_policy_expire_action;
	/* a search query: messages that it finds stay */
	const char *pop3_policy_exempt;
	/* the device that this session is of, and those that must all have
	   downloaded a message before it counts as downloaded, see
	   device-names.h */
	const char *pop3_policy_device;
	const char *pop3_policy_keep_devices;
	/* "yes" says what would be removed, and removes nothing */
	const char *pop3_policy_report_only;

	/* what the texts above mean: */
	struct pop3_quota_limits quota;
	/* NULL if there is none */
	const char *quota_warning;
	bool quota_top_deny;
	/* octets a second; 0 denies */
	uint64_t quota_throttle_rate;
	/* likewise; 0 is no limit */
	uint64_t rate;
	bool ignore_errors;
	struct pop3_login_delay login_delay;
	unsigned int uidl_alarm_percent;
	bool fast_polls;
	/* NULL if clients are shown everything */
	const char *view;
	/* NULL if it has no name */
	const char *device;
	struct retention_policy retention;
};

extern const struct pop3_policy_settings pop3_policy_default_settings;

/* Fill in what the texts mean. Returns TRUE, or FALSE and an error that says
   setting, value and what was expected. The type is that of Dovecot's check
   functions: set is a struct pop3_policy_settings. */
bool pop3_policy_settings_check(void *set, pool_t pool, const char **error_r);

/* The settings of a user. Returns 0 and *set_r, to be freed by
   pop3_policy_settings_free(), or -1 and an error for the admin. */
int pop3_policy_settings_get(struct mail_user *user,
			     const struct pop3_policy_settings **set_r,
			     const char **error_r);
void pop3_policy_settings_free(const struct pop3_policy_settings **set);

/* Replace the variables of pop3_policy_state. The result is in the data stack
   or lives as long as the settings. Returns 0, or -1 and an error. */
int pop3_policy_settings_expand(const struct pop3_policy_settings *set,
				struct mail_user *user, const char **value_r,
				const char **error_r);

/* Whether the state is in a dict, not in a folder. */
bool pop3_policy_settings_use_dict(const struct pop3_policy_settings *set);
/* The absolute path of the state folder, in the data stack. Returns 0, or -1
   and an error, such as that the user has no home, or that there is no
   folder. */
int pop3_policy_settings_state_dir(const struct pop3_policy_settings *set,
				   struct mail_user *user, const char **dir_r,
				   const char **error_r);

#endif
