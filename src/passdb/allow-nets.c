/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "net.h"
#include "str.h"
#include "credential-check.h"
#include "allow-nets.h"

static void append(string_t *str, const char *network)
{
	if (str_len(str) > 0)
		str_append_c(str, ',');
	str_append(str, network);
}

static bool
is_within(const struct credential_network *narrow,
	  const struct credential_network *wide)
{
	/* net_is_in_network() takes some addresses for those of IPv4 */
	return narrow->ip.family == wide->ip.family &&
		narrow->bits >= wide->bits &&
		net_is_in_network(&narrow->ip, &wide->ip, wide->bits);
}

/* Of two networks that have a client in common one lies within the other. */
static void
append_common(string_t *str, const char *word,
	      const ARRAY_TYPE(credential_network) *networks)
{
	const struct credential_network *network;
	struct credential_network known;

	/* "local" is of clients whose address is not known, who are in no
	   network */
	if (net_parse_range(word, &known.ip, &known.bits) < 0)
		return;
	array_foreach(networks, network) {
		if (is_within(&known, network))
			append(str, word);
		else if (is_within(network, &known))
			append(str, credential_network_print(network));
	}
}

const char *
allow_nets_make(const char *known,
		const ARRAY_TYPE(credential_network) *networks)
{
	const struct credential_network *network;
	const char *const *words;
	string_t *str = t_str_new(128);

	if (known == NULL) {
		array_foreach(networks, network)
			append(str, credential_network_print(network));
		return str_c(str);
	}
	for (words = t_strsplit_spaces(known, ", "); *words != NULL; words++)
		append_common(str, *words, networks);
	return str_c(str);
}
