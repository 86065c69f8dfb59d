/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "credential.h"

static const char *const all_protocols[] = { NULL };

void credential_user_init(struct credential_user *user_r, const char *name,
			  pool_t pool)
{
	i_zero(user_r);
	user_r->name = name;
	user_r->enabled = TRUE;
	user_r->protocols = all_protocols;
	p_array_init(&user_r->fields, pool, 8);
	p_array_init(&user_r->app_passwords, pool, 4);
}

void app_password_init(struct app_password *app_r, const char *id,
		       const char *hash, pool_t pool)
{
	i_zero(app_r);
	app_r->id = id;
	app_r->hash = hash;
	app_r->label = "";
	app_r->protocols = all_protocols;
	p_array_init(&app_r->networks, pool, 2);
	p_array_init(&app_r->settings, pool, 2);
}
