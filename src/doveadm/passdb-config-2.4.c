/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "settings.h"
#include "master-service.h"
#include "passdb-json-settings-info.h"
#include "passdb-list-settings.h"
#include "passdb-config.h"

/* Of a passdb that does not say what driver it has it is the name. Returns 1 if
   it is json, 0 if it is another one, -1 and an error. */
static int
is_json(struct event *event, const char *name, const char **error_r)
{
	const struct passdb_driver_settings *set = NULL;
	int ret;

	ret = settings_try_get_filter(event, "passdb", name,
				      &passdb_driver_setting_parser_info,
				      SETTINGS_GET_FLAG_NO_EXPAND,
				      &set, error_r);
	if (ret < 0)
		return -1;
	if (ret > 0 && *set->passdb_driver != '\0')
		name = set->passdb_driver;
	ret = strcmp(name, "json") == 0 ? 1 : 0;
	settings_free(set);
	return ret;
}

static int
read_json(struct event *event_parent, const char *name, pool_t pool,
	  struct passdb_json_settings *set_r, const char **error_r)
{
	const struct passdb_json_settings *set;
	struct event *event;
	int ret;

	event = event_create(event_parent);
	settings_event_add_list_filter_name(event, "passdb", name);
	ret = settings_get(event, &passdb_json_setting_parser_info,
			   SETTINGS_GET_FLAG_NO_EXPAND, &set, error_r);
	event_unref(&event);
	if (ret < 0)
		return -1;
	*set_r = *set;
	set_r->pool = pool;
	set_r->passdb_json_path = p_strdup(pool, set->passdb_json_path);
	settings_free(set);
	return 0;
}

static int
find_json(struct event *event, const struct passdb_list_settings *list,
	  const char **name_r, const char **error_r)
{
	const char *name;
	int ret = 0;

	if (array_is_created(&list->passdbs)) {
		array_foreach_elem(&list->passdbs, name) {
			ret = is_json(event, name, error_r);
			if (ret != 0)
				break;
		}
	}
	if (ret > 0)
		*name_r = name;
	return ret;
}

static int
load(struct event *event, const struct passdb_list_settings *list, pool_t pool,
     struct passdb_config *config_r, const char **error_r)
{
	const char *name;
	int ret;

	ret = find_json(event, list, &name, error_r);
	if (ret == 0) {
		*error_r = "there is no passdb with passdb_driver = json in "
			"the configuration";
	}
	if (ret <= 0)
		return -1;
	config_r->username_format = p_strdup(pool, list->auth_username_format);
	return read_json(event, name, pool, &config_r->set, error_r);
}

int passdb_config_load(pool_t pool, struct passdb_config *config_r,
		       const char **error_r)
{
	struct event *event = master_service_get_event(master_service);
	const struct passdb_list_settings *list;
	int ret;

	if (settings_get(event, &passdb_list_setting_parser_info, 0, &list,
			 error_r) < 0)
		return -1;
	ret = load(event, list, pool, config_r, error_r);
	settings_free(list);
	return ret;
}
