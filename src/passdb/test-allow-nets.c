/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "test-common.h"
#include "credential-check.h"
#include "allow-nets.h"

static const struct {
	/* NULL if there is none */
	const char *known;
	const char *networks;
	const char *expected;
} tests[] = {
	{ NULL, "192.0.2.0/24", "192.0.2.0/24" },
	{ NULL, "192.0.2.7 2001:db8::/32", "192.0.2.7/32,2001:db8::/32" },

	{ "192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/24" },
	{ "192.0.2.0/24", "192.0.0.0/16", "192.0.2.0/24" },
	{ "192.0.2.0/24", "192.0.2.128/25", "192.0.2.128/25" },
	{ "192.0.2.0/24", "192.0.2.7", "192.0.2.7/32" },
	{ "192.0.2.7", "192.0.2.0/24", "192.0.2.7" },
	{ "192.0.2.7", "192.0.2.8", "" },
	{ "192.0.2.0/24", "198.51.100.0/24", "" },
	{ "192.0.2.0/25", "192.0.2.128/25", "" },
	{ "0.0.0.0/0", "192.0.2.0/24", "192.0.2.0/24" },
	{ "192.0.2.0/24", "0.0.0.0/0", "192.0.2.0/24" },
	/* what does not count of an address does not */
	{ "192.0.2.99/24", "192.0.77.3/16", "192.0.2.99/24" },

	{ "2001:db8::/32", "2001:db8:1::/48", "2001:db8:1::/48" },
	{ "2001:db8::1", "2001:db8::/64", "2001:db8::1" },
	{ "2001:db8::/32", "2001:db9::/32", "" },
	{ "::/0", "2001:db8::1", "2001:db8::1/128" },
	/* they are of other families, whatever the bits are */
	{ "::/0", "192.0.2.0/24", "" },
	{ "0.0.0.0/0", "2001:db8::/32", "" },
	{ "c000:200::/24", "192.0.2.0/24", "" },
	{ "::ffff:192.0.2.0/120", "192.0.2.0/24", "" },

	{ "192.0.2.0/24,198.51.100.0/24", "192.0.0.0/16 198.51.100.7",
	  "192.0.2.0/24,198.51.100.7/32" },
	{ " 192.0.2.0/24, 2001:db8::/32 ", "2001:db8::7 192.0.2.7",
	  "192.0.2.7/32,2001:db8::7/128" },
	{ "192.0.0.0/16", "192.0.2.0/24 203.0.113.0/24 192.0.3.0/24",
	  "192.0.2.0/24,192.0.3.0/24" },

	/* of these the networks of an app password hold for none */
	{ "local", "192.0.2.0/24", "" },
	{ "local,192.0.2.0/24", "0.0.0.0/0 ::/0", "192.0.2.0/24" },
	{ "192.0.2.0/33,192.0.2/24,example.org", "192.0.2.0/24", "" },
	{ "", "192.0.2.0/24", "" },
};

static void
parse_networks(const char *text, ARRAY_TYPE(credential_network) *networks)
{
	const char *const *words = t_strsplit_spaces(text, " "), *error;
	struct credential_network network;

	for (; *words != NULL; words++) {
		test_assert(credential_network_parse(*words, &network,
						     &error) == 0);
		array_push_back(networks, &network);
	}
}

static void test_allow_nets_make(void)
{
	ARRAY_TYPE(credential_network) networks;
	unsigned int i;

	test_begin("allow_nets_make()");
	t_array_init(&networks, 4);
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		array_clear(&networks);
		parse_networks(tests[i].networks, &networks);
		test_assert_strcmp_idx(allow_nets_make(tests[i].known,
						       &networks),
				       tests[i].expected, i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_allow_nets_make,
		NULL
	};

	return test_run(test_functions);
}
