/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "pop3-symbols.h"
#include "pop3-policy-settings.h"
#include "compat-autoexpunge.h"
#include "expire.h"
#include "capa-ostream.h"
#include "session-capa.h"
#include "session-delay.h"

struct session_capa {
	struct client *client;
	const struct pop3_policy_settings *set;
};

static const char *session_capa_lines(void *context)
{
	const struct session_capa *capa = context;
	struct pop3_autoexpunge autoexpunge;
	const char *lines;

	compat_mailbox_get_autoexpunge(capa->client->mailbox,
				       &autoexpunge.keep,
				       &autoexpunge.max_messages);
	lines = t_strconcat("EXPIRE ",
			    pop3_expire_text(&capa->set->retention,
					     &autoexpunge), NULL);
	if (!session_has_delay(capa->client, capa->set))
		return lines;
	return t_strdup_printf("%s\r\nLOGIN-DELAY %u", lines,
			       capa->set->login_delay.seconds);
}

struct capa_ostream *
session_capa_init(struct client *client, const struct pop3_policy_settings *set)
{
	struct session_capa *capa = p_new(client->pool, struct session_capa, 1);

	capa->client = client;
	capa->set = set;
	return capa_ostream_init(client, session_capa_lines, capa);
}
