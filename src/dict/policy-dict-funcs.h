#ifndef POP3_POLICY_POLICY_DICT_FUNCS_H
#define POP3_POLICY_POLICY_DICT_FUNCS_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "policy-dict.h"

/* What the module exports, as policy-dict.h says. */

int policy_dict_open(const struct policy_dict_settings *set,
		     struct policy_dict **dict_r, const char **error_r);
void policy_dict_close(struct policy_dict **dict);

int policy_dict_get_state(struct policy_dict *dict, const char **text_r,
			  const char **error_r);
int policy_dict_get_quota(struct policy_dict *dict,
			  struct pop3_quota_counters *counters,
			  const char **error_r);

enum policy_store_result
policy_dict_lock(struct policy_dict *dict, const char *place,
		 const char **error_r);
void policy_dict_unlock(struct policy_dict *dict);
enum policy_store_result
policy_dict_write(struct policy_dict *dict, const char *text,
		  const struct pop3_quota_counters *counters,
		  const char **error_r);
const char *policy_dict_set_aside(struct policy_dict *dict, const char *text,
				  const char **error_r);

int policy_dict_get_journal(struct policy_dict *dict, uint32_t generation,
			    string_t *text_r, bool *damaged_r,
			    const char **error_r);
int policy_dict_find_journal(struct policy_dict *dict, uint32_t generation,
			     string_t *text_r, bool *damaged_r,
			     const char **error_r);
enum policy_store_result
policy_dict_append_journal(struct policy_dict *dict, uint32_t generation,
			   const string_t *lines, const char **error_r);
void policy_dict_replace_journal(struct policy_dict *dict, uint32_t generation,
				 const string_t *text);

int policy_dict_get_login_stamp(struct policy_dict *dict, uint64_t *number_r,
				const char **error_r);
int policy_dict_set_login_stamp(struct policy_dict *dict, uint64_t number,
				const char **error_r);

#endif
