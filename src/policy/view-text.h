#ifndef POP3_POLICY_VIEW_TEXT_H
#define POP3_POLICY_VIEW_TEXT_H

/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

/* pop3_policy_view is a search query for what clients are shown. Returns it, or
   NULL if they are shown everything, so that no search is needed: "" and ALL
   stand for that. Whether it is a query only mail storage can tell. */
const char *pop3_view_query(const char *text);

#endif
