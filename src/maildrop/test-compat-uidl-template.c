/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "test-common.h"
#include "compat-uidl-template.h"
#include "test-uidl-format.h"

static void test_known(void)
{
	static const struct {
		const char *format;
		/* 0 if it is known to none */
		unsigned int line;
	} tests[] = {
		/* the common ones */
		{ "%08Xu%08Xv", TEST_UIDL_2_3 },
		{ "%08Xv%08Xu", TEST_UIDL_2_3 },
		{ "%v-%u", TEST_UIDL_2_3 },
		{ "%v.%u", TEST_UIDL_2_3 },
		{ "%g", TEST_UIDL_2_3 },
		{ "%m", TEST_UIDL_2_3 },
		{ "%f", TEST_UIDL_2_3 },
		{ "%u", TEST_UIDL_2_3 },
		{ "UID%u-%v", TEST_UIDL_2_3 },
		{ "%{uid | hex(8)}%{uidvalidity | hex(8)}", TEST_UIDL_2_4 },
		{ "%{uidvalidity | hex(8)}%{uid | hex(8)}", TEST_UIDL_2_4 },
		{ "%{uidvalidity}-%{uid}", TEST_UIDL_2_4 },
		{ "%{uidvalidity}.%{uid}", TEST_UIDL_2_4 },
		{ "%{guid}", TEST_UIDL_2_4 },
		{ "%{md5}", TEST_UIDL_2_4 },
		{ "%{filename}", TEST_UIDL_2_4 },
		{ "%{uid}", TEST_UIDL_2_4 },
		{ "UID%{uid}-%{uidvalidity}", TEST_UIDL_2_4 },

		{ "%Xu.%Xv", TEST_UIDL_2_3 },
		{ "%02Xu", TEST_UIDL_2_3 },
		{ "%010u", TEST_UIDL_2_3 },
		{ "%020v", TEST_UIDL_2_3 },
		{ "%%%u%%", TEST_UIDL_2_3 },
		{ "%%u%u", TEST_UIDL_2_3 },
		{ "{%u}\\\"'y", TEST_UIDL_2_3 },
		{ "y%uy%v", TEST_UIDL_2_3 },
		{ "%{uid|hex}", TEST_UIDL_2_4 },
		{ "%{  uid  |  hex  (  20  )  }", TEST_UIDL_2_4 },
		{ "%{guid }", TEST_UIDL_2_4 },
		{ "{%{uid}}\\\"'yy", TEST_UIDL_2_4 },
		{ "%{uid} %{uid}", TEST_UIDL_2_4 },

		/* not formats, or of no message */
		{ "", 0 },
		{ "uid", 0 },
		{ "%%", 0 },
		{ "%", 0 },
		{ "%u%", 0 },
		{ "%n%u", 0 },
		{ "%0", 0 },
		{ "%{uid", 0 },
		{ "%{}", 0 },
		{ "%{uid}%", 0 },
		{ "%{uid}%%", 0 },
		{ "%%{uid}", 0 },
		{ "%{pid}", 0 },
		{ "%{UID}", 0 },
		{ "%{uidx}", 0 },
		{ "%{uid x}", 0 },

		/* cut, filled otherwise, or changed otherwise */
		{ "%8u", 0 },
		{ "%8Xu", 0 },
		{ "%00u", 0 },
		{ "%0u", 0 },
		{ "%008u", 0 },
		{ "%021u", 0 },
		{ "%04294967297u", 0 },
		{ "%-8u", 0 },
		{ "%2.08Xu", 0 },
		{ "%0.8Xu", 0 },
		{ "%XXu", 0 },
		{ "%Ru", 0 },
		{ "%Lf", 0 },
		{ "%Xm", 0 },
		{ "%08m", 0 },
		{ "%32g", 0 },
		{ "%{uid | hex()}", 0 },
		{ "%{uid | hex(7)}", 0 },
		{ "%{uid | hex(08)}", 0 },
		{ "%{uid | hex(0)}", 0 },
		{ "%{uid | hex(-8)}", 0 },
		{ "%{uid | hex(21)}", 0 },
		{ "%{uid | hex(4294967304)}", 0 },
		{ "%{uid | hex('8')}", 0 },
		{ "%{uid | hex(8, 8)}", 0 },
		{ "%{uid | hex(8) | hex}", 0 },
		{ "%{uid | hexlify(8)}", 0 },
		{ "%{uid | hex8}", 0 },
		{ "%{uid | upper}", 0 },
		{ "%{uid | }", 0 },
		{ "%{uid + 1}", 0 },
		{ "%{md5 | hex}", 0 },
		{ "%{literal('x')}%{uid}", 0 },
		{ "%{uid\t}", 0 },

		/* octets of which we are not sure */
		{ "%u\t", 0 },
		{ "\xc3\xa4%u", 0 },
		{ "%u\x7f", 0 },
		{ "%{uid}\n", 0 },
		{ "%{uid}\x7f", 0 },
		{ "%{uid}\x80", 0 },
		{ "y%{uid}", 0 },
		{ "%{uid}y%{guid}", 0 },
	};
	struct uidl_template *tmpl;
	unsigned int i, line = test_uidl_own_line();
	bool known;

	test_begin("UIDL formats: known ones");
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		tmpl = NULL;
		known = compat_uidl_template_parse(pool_datastack_create(),
						   tests[i].format, &tmpl);
		test_assert_idx(known == (tests[i].line == line), i);
		test_assert_idx(known == (tmpl != NULL), i);
		if (known)
			test_uidl_as_dovecot(tests[i].format, tmpl, i);
	}
	test_end();
}

int main(void)
{
	static void (*const test_functions[])(void) = {
		test_known,
		NULL
	};
	return test_run(test_functions);
}
