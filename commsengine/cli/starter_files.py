"""The files of a new workspace, as text. ``$name`` is filled in by ``init``."""

from __future__ import annotations

PLAN = """\
# yaml-language-server: $$schema=../plan.schema.json
# One campaign. Change it to yours, then: commsengine check schedules/$campaign.yaml
# Editing this file does nothing until you apply it, and nothing is sent until you start it.
campaign: $campaign                  # its id; keep it
title: One customer record             # what people read
owner: [dana.reyes@example.com]        # gets the daily list of whom to call
sponsor: {email: sam.okafor@example.com, in_audience: false}   # asked last, and only if the owner does so

milestones:                            # named dates: move one here, apply again, and everything follows
  kickoff: $kickoff
  go_live: {date: $go_live, because: The training comes first.}

audience:                              # everybody imported; for a roster of its own: people: ../people.csv
  roles:                               # each person gets the first that matches
    managers: {is_manager: true}
    sales: {department: [Sales]}
    others: {rest: true}

send:
  channels: [slack, email]             # the first that reaches the person; one without credentials is left out
  time_zone: UTC                       # of people whose file names none, such as Europe/Berlin
  window: {days: [mon, tue, wed, thu, fri], from: "09:00", to: "16:30"}   # the person's local time; outside of it
                                                                          # their messages wait
  at_most: {per_day: 1, per_week: 3}

wiifm:                                 # what is in it for me, by role: goes with the first time of each message
  managers:
    why: You hear of a lost customer when it is too late to call.
    your_job: You ask for the record, not for a report.
    skills: Half an hour with your team's first records, before everybody else.
    measures: Customers with an entry this week.
    results: No customer is called twice, and none is forgotten.
  sales:
    why: Two lists of customers cost us orders.
    your_job: You log each call once.
    skills: A one-hour course before go-live.
    measures: Calls logged the same day.
    results: Fewer lost orders.
  others:
    why: You look for a customer in three places.
    your_job: You look in one place.
    skills: Five minutes with the search box.
    measures: Questions answered without asking around.
    results: Customers are not asked twice.

messages:
  - id: what-must-stay
    key_point: You know how customers reach us; tell us before we design it.
    from: kickoff
    until: kickoff + 21d
    cadence: {every: 72h, times: 5}    # it stops for people who say "heard enough"
    ask: input                         # acknowledge, check, input, commit or nothing
    input: {question: What must never get harder for you?, kind: text}
    text:                              # they take turns, and begin again after the last
      - Think of a busy day. Which step saves you time?
      - Name one thing that works well today.
  - id: one-record
    key_point: From go-live, every customer conversation is logged in one record.
    from: kickoff + 14d
    until: go_live + 14d
    sender: manager                    # changes of people's own work come from their manager
    priority: high
    cadence: {every: 96h, times: 7}
    ask: acknowledge
    text:
      - After each call you write two lines into the record.
      - Your colleague reads them before the next call.
      - You can write them on your phone.

follow_up:                             # when nobody answers: a reminder, then a person
  - {after: 2 touches, do: remind, channel: email}
  - {after: 2 touches, do: personal, by: manager}
  - {after: 5 working days, do: sponsor}
"""

PEOPLE = """\
email,name,department,job,manager,country,region,time_zone,phone
dana.reyes@example.com,Dana Reyes,Change,Change lead,sam.okafor@example.com,NL,,Europe/Amsterdam,+31 20 555 0100
sam.okafor@example.com,Sam Okafor,Board,Chief operating officer,,NL,,Europe/Amsterdam,+31 20 555 0101
mia.wolf@example.com,Mia Wolf,Sales,Head of sales,sam.okafor@example.com,DE,BE,Europe/Berlin,+49 30 555 0102
ben.ortiz@example.com,Ben Ortiz,Sales,Account manager,mia.wolf@example.com,US,NY,America/New_York,+1 212 555 0103
ana.kim@example.com,Ana Kim,Support,Engineer,mia.wolf@example.com,KR,,Asia/Seoul,+82 2 555 0104
lea.blanc@example.com,Léa Blanc,Support,Field engineer,mia.wolf@example.com,FR,,Europe/Paris,+33 1 5555 0105
"""

WORKSPACE = """\
# The rules over all campaigns. A plan may only be stricter.
at_most: {per_day: 1, per_week: 3}     # messages that one person gets at most, from all campaigns together
minimum_gap: 4h                        # between two messages to one person
# black_out: [2026-12-24..2027-01-01]  # days on which nothing is sent to anybody
follow_ups_per_day: 5                  # one manager is never asked to call more people a day
recall: role                           # what decides when a message with recall_floor comes: role, person or off
retention: 365 days                    # how long what people wrote is kept after a campaign has ended
language: en
"""

ENVIRONMENT = """\
# Settings of this workspace; the environment wins over this file. Only this account should read it: chmod 600 .env
# All of them are explained in docs/operations.md.

# Signs the links in every message. Several keys, newest first, keep old links working: new-key,old-key
COMMSENGINE_SECRET_KEY=$key

# Mail. TLS is required unless the host is this machine.
# COMMSENGINE_SMTP_URL=smtp://user:password@mail.example.com:587?tls=starttls
# Microsoft 365 and Google log in by token (docs/mail.md); each provider has its page in docs/providers.md:
# COMMSENGINE_SMTP_URL=smtp://change%40example.com@smtp.office365.com:587?auth=xoauth2
# COMMSENGINE_MAIL_FROM=change@example.com
# The limits of large providers are known (docs/operations.md). Set these where yours are not, or differ:
# COMMSENGINE_SMTP_CONNECTIONS=3
# COMMSENGINE_SMTP_RATE=30
# COMMSENGINE_SMTP_DAILY=10000

# After a crash, what tells whether an uncertain e-mail arrived: your own Postfix, or an archive of sent mail.
# COMMSENGINE_POSTFIX_LOG=/var/log/mail.log
# COMMSENGINE_IMAP_URL=imaps://user:password@mail.example.com/Archive

# Slack: make an app from slack-manifest.json, install it, and copy its two tokens. An older app: docs/operations.md.
# COMMSENGINE_SLACK_BOT_TOKEN=xoxb-…
# COMMSENGINE_SLACK_APP_TOKEN=xapp-…

# How people reach the answer pages from their own machines.
# COMMSENGINE_HTTP_BIND=127.0.0.1:8080
# COMMSENGINE_BASE_URL=https://comms.example.com
"""

GITIGNORE = """\
.env
*.db
*.db-*
/preview/
/rehearsals/
/backup/
"""

TEMPLATES = """\
Texts of messages in Markdown, with {{ names }}. A file here replaces the shipped one of the same name:
look at the shipped ones in the folder message_templates of commsengine, copy the one you want to change
to this folder, and run: commsengine check schedules/*.yaml
"""
