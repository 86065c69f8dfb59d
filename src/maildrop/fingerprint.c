/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "base64.h"
#include "buffer.h"
#include "hash-method.h"
#include "sha2.h"
#include "str.h"
#include "istream.h"
#include "message-header-hash.h"
#include "message-header-parser.h"
#include "message-size.h"
#include "maildrop.h"

/* As much as a GUID has. */
#define FINGERPRINT_OCTETS 16
#define HEADER_HASH_VERSION 4

/* What servers add, change and remove when a message is moved between formats,
   protocols and hosts. */
static const char *const passing_headers[] = {
	"Content-Length", "Return-Path", "Status", "X-IMAP", "X-IMAPbase",
	"X-Keywords", "X-Status", "X-UID", "X-UIDL"
};

static bool header_is_passing(const char *name)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(passing_headers); i++) {
		if (strcasecmp(name, passing_headers[i]) == 0)
			return TRUE;
	}
	return FALSE;
}

static void
hash_header_line(struct sha256_ctx *sha256,
		 const struct message_header_line *hdr)
{
	struct message_header_hash_context hash_ctx;

	i_zero(&hash_ctx);
	if (!hdr->continued) {
		const char *name = t_str_lcase(hdr->name);

		hash_method_sha256.loop(sha256, "\n", 1);
		message_header_hash_more(&hash_ctx, &hash_method_sha256,
			sha256, HEADER_HASH_VERSION,
			(const unsigned char *)name, hdr->name_len);
		hash_method_sha256.loop(sha256, ":", 1);
	}
	message_header_hash_more(&hash_ctx, &hash_method_sha256, sha256,
				 HEADER_HASH_VERSION, hdr->value,
				 hdr->value_len);
}

static int
hash_header(struct istream *input, struct sha256_ctx *sha256,
	    struct message_size *hdr_size_r)
{
	struct message_header_parser_ctx *parser;
	struct message_header_line *hdr;
	bool passing = FALSE;

	parser = message_parse_header_init(input, hdr_size_r, 0);
	while (message_parse_header_next(parser, &hdr) > 0) {
		if (hdr->eoh)
			continue;
		T_BEGIN {
			if (!hdr->continued)
				passing = header_is_passing(hdr->name);
			if (!passing)
				hash_header_line(sha256, hdr);
		} T_END;
	}
	message_parse_header_deinit(&parser);
	return input->stream_errno == 0 ? 0 : -1;
}

static const char *
fingerprint_text(struct sha256_ctx *sha256, uoff_t body_size)
{
	const char *tail = t_strdup_printf("\n%"PRIuUOFF_T, body_size);
	unsigned char digest[SHA256_RESULTLEN];

	hash_method_sha256.loop(sha256, tail, strlen(tail));
	hash_method_sha256.result(sha256, digest);
	return str_c(t_base64_encode(BASE64_ENCODE_FLAG_NO_PADDING, SIZE_MAX,
				     digest, FINGERPRINT_OCTETS));
}

int maildrop_fingerprint(struct mail *mail, const char **hash_r)
{
	struct message_size hdr_size;
	struct sha256_ctx sha256;
	struct istream *input;
	uoff_t size;

	if (mail_get_virtual_size(mail, &size) < 0 ||
	    mail_get_hdr_stream(mail, NULL, &input) < 0)
		return -1;
	hash_method_sha256.init(&sha256);
	if (hash_header(input, &sha256, &hdr_size) < 0)
		return -1;
	/* a size that is wrong in the file name must not wrap */
	size -= I_MIN(size, hdr_size.virtual_size);
	*hash_r = fingerprint_text(&sha256, size);
	return 0;
}
