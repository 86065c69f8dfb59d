#!/usr/bin/env python3
# Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later
"""demo-mail.py MAILDIR COUNT: fills a maildir with mail as an office gets it.

The same messages each time: replies in threads, HTML beside text, attachments.
"""

import datetime
import email.message
import email.utils
import os
import random
import sys
import time

PEOPLE = ("Ana Ruiz", "Bengt Åkesson", "Chiara Conti", "Dmitri Orlov", "Esi Mensah",
          "Farid Karimi", "Grace Lin", "Henrik Voss", "Ines Duarte", "Jürgen Weiß")
TOPICS = ("Minutes of Monday's meeting", "Invoice {n}", "Offer for the new shelves",
          "Delivery {n} is on its way", "Holiday plan", "Server maintenance on Saturday",
          "Draft of the annual report", "Travel costs {n}", "Lunch on Friday?",
          "Photos from the summer party", "Question about order {n}", "Contract, version {n}")
SENTENCES = ("Thank you for the quick answer.", "Please find the figures below.",
             "Could you look at this before Thursday?", "The supplier confirmed the date.",
             "I have added my comments in the margin.", "We are still waiting for two replies.",
             "The total is slightly lower than last month.", "Nothing else has changed.",
             "Let me know if anything is missing.", "The old version can be thrown away.")
FILES = (("report.pdf", "application", "pdf"), ("photo.jpg", "image", "jpeg"),
         ("figures.xlsx", "application",
          "vnd.openxmlformats-officedocument.spreadsheetml.sheet"))


def address(name):
    local = name.lower().encode("ascii", "ignore").decode().replace(" ", ".")
    return email.utils.formataddr((name, local + "@example.org"))


def paragraphs(chance):
    return [" ".join(chance.sample(SENTENCES, chance.randint(2, 6)))
            for _ in range(chance.randint(1, 8))]


def message(chance, number, date, earlier):
    mail = email.message.EmailMessage()
    name = chance.choice(PEOPLE)
    mail["From"] = address(name)
    mail["To"] = "Demo User <demo@example.org>"
    if earlier and chance.random() < 0.3:
        parent = chance.choice(earlier[-20:])
        mail["Subject"] = "Re: " + parent["Subject"].removeprefix("Re: ")
        mail["In-Reply-To"] = mail["References"] = parent["Message-ID"]
    else:
        mail["Subject"] = chance.choice(TOPICS).format(n=1000 + number)
    mail["Date"] = email.utils.format_datetime(
        datetime.datetime.fromtimestamp(date, datetime.timezone.utc))
    mail["Message-ID"] = f"<{date}.{number}@mail.example.org>"
    text = paragraphs(chance)
    mail.set_content("Hello,\n\n" + "\n\n".join(text) + f"\n\n-- \n{name}\n")
    if chance.random() < 0.5:
        mail.add_alternative("<p>" + "</p>\n<p>".join(text) + "</p>\n", subtype="html")
    if chance.random() < 0.1:
        filename, maintype, subtype = chance.choice(FILES)
        mail.add_attachment(chance.randbytes(chance.randint(10_000, 150_000)),
                            maintype=maintype, subtype=subtype, filename=filename)
    return mail


def main():
    maildir, count = sys.argv[1], int(sys.argv[2])
    for folder in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(maildir, folder))
    chance = random.Random(1939)
    date = int(time.time()) - count * 3 * 3600
    earlier = []
    for number in range(count):
        date += chance.randint(600, 3 * 3600)
        mail = message(chance, number, date, earlier)
        earlier.append(mail)
        path = os.path.join(maildir, "new", f"{date}.M{number}P1.mail")
        with open(path, "wb") as out:
            out.write(mail.as_bytes())
        os.utime(path, (date, date))


if __name__ == "__main__":
    main()
