//! The receivers and senders of the generated world: who they are and what they answer.
//! Reply texts are those that the providers document, with their varying parts as `{marks}`.

/// A mailbox provider.
pub(crate) struct Provider {
    /// Share of the recipients, in parts of 10,000.
    pub(crate) share: u32,
    /// Its recipient domains by weight; empty for the long tail.
    pub(crate) domains: &'static [(u32, &'static str)],
    pub(crate) mx: &'static [&'static str],
    /// Address of the receiver, to which the last part is added.
    pub(crate) net: &'static str,
    /// Name of its rollup queue.
    pub(crate) rollup: Option<&'static str>,
    pub(crate) esmtp: &'static str,
    pub(crate) tls: Option<(&'static str, &'static str)>,
    pub(crate) accepted: &'static [(u32, &'static str)],
    /// Probability that an attempt is deferred, in parts of 10,000.
    pub(crate) deferral: u32,
    pub(crate) deferred: &'static [(u32, Answer)],
    /// Probability that a recipient bounces, in parts of 10,000.
    pub(crate) bounce: u32,
    pub(crate) bounced: &'static [(u32, Answer)],
}

/// A refusal: dsnStatus, dsnDiag, bounceCat.
pub(crate) type Answer = (&'static str, &'static str, &'static str);

const TLS13: Option<(&str, &str)> = Some(("TLSv1.3", "TLS_AES_256_GCM_SHA384"));
const TLS12: Option<(&str, &str)> = Some(("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"));

/// What Yahoo answers when it throttles.
pub(crate) const TSS04: Answer = (
    "4.7.0 (other or undefined security status)",
    "smtp;421 4.7.0 [TSS04] Messages from {ip} temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes",
    "policy-related",
);

/// What Microsoft answers when it has blocked the address.
pub(crate) const S3140: Answer = (
    "5.7.1 (delivery not authorized)",
    "smtp;550 5.7.1 Unfortunately, messages from [{ip}] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [Name=Protocol Filter Agent][AGT=PFA][MxId={ID}]",
    "spam-related",
);

/// What the receivers of a bad list answer.
pub(crate) const UNKNOWN: Answer = (
    "5.1.1 (bad destination mailbox address)",
    "smtp;550 5.1.1 <{rcpt}>: Recipient address rejected: User unknown in virtual mailbox table",
    "bad-mailbox",
);

/// What we say ourselves of a message that waited for too long.
pub(crate) const EXPIRED: Answer = ("5.4.7 (delivery time expired)", "", "message-expired");

/// What a queue says that cannot connect.
pub(crate) const NO_ANSWER: Answer =
    ("4.4.1 (no answer from host)", "x-pmta;connection to {mx} timed out", "no-answer-from-host");

/// The providers, the largest first.
pub(crate) const PROVIDERS: &[Provider] = &[
    Provider {
        share: 4200,
        domains: &[
            (96, "gmail.com"),
            (1, "googlemail.com"),
            (2, "acme-studio.com"),
            (1, "northwind-traders.org"),
        ],
        mx: &[
            "gmail-smtp-in.l.google.com",
            "alt1.gmail-smtp-in.l.google.com",
            "aspmx.l.google.com",
        ],
        net: "2a00:1450:4013:c14::",
        rollup: None,
        esmtp: "SIZE 157286400,8BITMIME,STARTTLS,ENHANCEDSTATUSCODES,PIPELINING,CHUNKING,SMTPUTF8",
        tls: TLS13,
        accepted: &[(1, "smtp;250 2.0.0 OK  {unix} {gid} - gsmtp")],
        deferral: 350,
        deferred: &[
            (
                5,
                (
                    "4.7.28 (mail flood detected)",
                    "smtp;421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address [{ip}      15]. To protect our users from spam, mail sent from your IP address has been temporarily rate limited. 421 4.7.28 https://support.google.com/mail/?p=UnsolicitedRateLimitError {gid} - gsmtp",
                    "policy-related",
                ),
            ),
            (
                2,
                (
                    "4.2.1 (mailbox disabled, not accepting messages)",
                    "smtp;450-4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. Please resend your message at a later time. 450 4.2.1 https://support.google.com/mail/?p=ReceivingRate {gid} - gsmtp",
                    "quota-issues",
                ),
            ),
            (
                3,
                (
                    "4.2.2 (mailbox full)",
                    "smtp;452-4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaTemp {gid} - gsmtp",
                    "quota-issues",
                ),
            ),
        ],
        bounce: 90,
        bounced: &[
            (
                12,
                (
                    "5.1.1 (bad destination mailbox address)",
                    "smtp;550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. For more information, go to 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser {gid} - gsmtp",
                    "bad-mailbox",
                ),
            ),
            (
                3,
                (
                    "5.2.1 (mailbox disabled, not accepting messages)",
                    "smtp;550-5.2.1 The email account that you tried to reach is inactive. For more information, go to 550 5.2.1 https://support.google.com/mail/?p=DisabledUser {gid} - gsmtp",
                    "inactive-mailbox",
                ),
            ),
            (
                2,
                (
                    "5.7.26 (delivery not authorized)",
                    "smtp;550-5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM. 550 5.7.26 https://support.google.com/mail/answer/81126#authentication {gid} - gsmtp",
                    "policy-related",
                ),
            ),
            (
                3,
                (
                    "5.7.1 (delivery not authorized)",
                    "smtp;550-5.7.1 [{ip}] Gmail has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked. 550 5.7.1 https://support.google.com/mail/?p=UnsolicitedMessageError {gid} - gsmtp",
                    "spam-related",
                ),
            ),
        ],
    },
    Provider {
        share: 2100,
        domains: &[
            (40, "hotmail.com"),
            (30, "outlook.com"),
            (8, "live.com"),
            (5, "msn.com"),
            (6, "hotmail.co.uk"),
            (5, "contoso.com"),
            (3, "fabrikam.de"),
        ],
        mx: &[
            "hotmail-com.olc.protection.outlook.com",
            "outlook-com.olc.protection.outlook.com",
            "contoso-com.mail.protection.outlook.com",
        ],
        net: "104.47.18.",
        rollup: Some("hotmail.rollup"),
        esmtp: "SIZE 49283072,PIPELINING,DSN,ENHANCEDSTATUSCODES,STARTTLS,8BITMIME,BINARYMIME,CHUNKING,SMTPUTF8",
        tls: TLS12,
        accepted: &[(
            1,
            "smtp;250 2.6.0 <{hex}@{sender}> [InternalId={unix}{n}, Hostname={ID}.eurprd04.prod.outlook.com] {n} bytes in 0.{n}, 98.512 KB/sec Queued mail for delivery -> 250 2.1.5",
        )],
        deferral: 300,
        deferred: &[
            (
                3,
                (
                    "4.7.650 (other or undefined security status)",
                    "smtp;451 4.7.650 The mail server [{ip}] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://aka.ms/postmaster (S775) [{ID}.eurprd04.prod.outlook.com {iso}Z 08DC{ID}]",
                    "policy-related",
                ),
            ),
            (
                2,
                (
                    "4.3.2 (system not accepting network messages)",
                    "smtp;421 4.3.2 The maximum number of concurrent server connections has exceeded a limit, closing transmission channel",
                    "bad-connection",
                ),
            ),
        ],
        bounce: 160,
        bounced: &[
            (
                8,
                (
                    "5.5.0 (other or undefined protocol status)",
                    "smtp;550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [{ID}.eurprd04.prod.outlook.com {iso}Z 08DC{ID}]",
                    "bad-mailbox",
                ),
            ),
            (
                3,
                (
                    "5.1.10 (recipient address has null MX)",
                    "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {rcpt} not found by SMTP address lookup",
                    "bad-mailbox",
                ),
            ),
            (
                1,
                (
                    "5.2.2 (mailbox full)",
                    "smtp;554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
                    "quota-issues",
                ),
            ),
            (
                1,
                (
                    "5.7.606 (delivery not authorized)",
                    "smtp;550 5.7.606 Access denied, banned sending IP [{ip}]. To request removal from this list please visit https://sender.office.com/ and follow the directions.",
                    "policy-related",
                ),
            ),
        ],
    },
    Provider {
        share: 1300,
        domains: &[
            (60, "yahoo.com"),
            (8, "yahoo.fr"),
            (8, "yahoo.co.uk"),
            (14, "aol.com"),
            (5, "ymail.com"),
            (3, "att.net"),
        ],
        mx: &["mta5.am0.yahoodns.net", "mta6.am0.yahoodns.net", "mta7.am0.yahoodns.net"],
        net: "67.195.204.",
        rollup: Some("yahoo.rollup"),
        esmtp: "PIPELINING,SIZE 41943040,8BITMIME,STARTTLS",
        tls: TLS13,
        accepted: &[(1, "smtp;250 ok dirdel")],
        deferral: 420,
        deferred: &[
            (4, TSS04),
            (
                2,
                (
                    "4.7.0 (other or undefined security status)",
                    "smtp;451 4.7.0 [TSS11] All messages from {ip} will be deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes",
                    "policy-related",
                ),
            ),
            (
                2,
                (
                    "4.3.2 (system not accepting network messages)",
                    "smtp;451 Message temporarily deferred - [{n}]",
                    "other",
                ),
            ),
        ],
        bounce: 210,
        bounced: &[
            (
                10,
                (
                    "5.0.0 (undefined status)",
                    "smtp;554 delivery error: dd This user doesn't have a {rcptdomain} account ({rcpt}) [0] - {mx}",
                    "bad-mailbox",
                ),
            ),
            (
                2,
                (
                    "5.2.2 (mailbox full)",
                    "smtp;552 1 Requested mail action aborted, mailbox not found",
                    "inactive-mailbox",
                ),
            ),
            (
                1,
                (
                    "5.7.9 (other or undefined security status)",
                    "smtp;554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
                    "policy-related",
                ),
            ),
        ],
    },
    Provider {
        share: 500,
        domains: &[(80, "icloud.com"), (15, "me.com"), (5, "mac.com")],
        mx: &["mx01.mail.icloud.com", "mx02.mail.icloud.com"],
        net: "17.57.155.",
        rollup: None,
        esmtp: "PIPELINING,SIZE 28311552,ETRN,STARTTLS,ENHANCEDSTATUSCODES,8BITMIME,DSN,SMTPUTF8",
        tls: TLS13,
        accepted: &[(1, "smtp;250 2.0.0 Ok: queued as {qid}")],
        deferral: 150,
        deferred: &[(
            1,
            (
                "4.7.0 (other or undefined security status)",
                "smtp;451 4.7.0 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
                "policy-related",
            ),
        )],
        bounce: 120,
        bounced: &[
            (
                4,
                (
                    "5.1.1 (bad destination mailbox address)",
                    "smtp;550 5.1.1 <{rcpt}>: user does not exist",
                    "bad-mailbox",
                ),
            ),
            (
                1,
                (
                    "5.7.1 (delivery not authorized)",
                    "smtp;554 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
                    "spam-related",
                ),
            ),
            (
                1,
                (
                    "5.2.2 (mailbox full)",
                    "smtp;552 5.2.2 <{rcpt}>: user is over quota",
                    "quota-issues",
                ),
            ),
        ],
    },
    Provider {
        share: 450,
        domains: &[(50, "gmx.de"), (30, "web.de"), (15, "gmx.net"), (5, "gmx.at")],
        mx: &["mx00.emig.gmx.net", "mx01.emig.gmx.net", "mx-ha02.web.de"],
        net: "212.227.17.",
        rollup: None,
        esmtp: "8BITMIME,SIZE 157286400,STARTTLS",
        tls: TLS12,
        accepted: &[(1, "smtp;250 Requested mail action okay, completed: id={qid}-{gid}")],
        deferral: 200,
        deferred: &[(
            1,
            (
                "4.7.0 (other or undefined security status)",
                "smtp;421 {mx} (mxgmx{n}) Nemesis ESMTP Service not available - Service not available - please try again later - https://postmaster.gmx.net/en/error-messages?ip={ip}&c=rl",
                "policy-related",
            ),
        )],
        bounce: 150,
        bounced: &[
            (
                4,
                (
                    "5.1.1 (bad destination mailbox address)",
                    "smtp;550 Requested action not taken: mailbox unavailable",
                    "bad-mailbox",
                ),
            ),
            (
                1,
                (
                    "5.7.1 (delivery not authorized)",
                    "smtp;554 Transaction failed - Reject due to policy restrictions. For explanation visit https://postmaster.gmx.net/en/case?c=r0301&i=ip&v={ip}&r={gid}",
                    "policy-related",
                ),
            ),
        ],
    },
    Provider {
        share: 250,
        domains: &[(70, "orange.fr"), (30, "wanadoo.fr")],
        mx: &["smtp-in.orange.fr"],
        net: "80.12.26.",
        rollup: None,
        esmtp: "SIZE 44000000,8BITMIME,PIPELINING,STARTTLS",
        tls: None,
        accepted: &[(1, "smtp;250 2.0.0 {qid} mail accepted for delivery")],
        deferral: 500,
        deferred: &[(
            1,
            (
                "4.0.0 (other or undefined status)",
                "smtp;421 {mx} Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]",
                "policy-related",
            ),
        )],
        bounce: 180,
        bounced: &[(
            1,
            (
                "5.1.1 (bad destination mailbox address)",
                "smtp;550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]",
                "bad-mailbox",
            ),
        )],
    },
    Provider {
        share: 200,
        domains: &[(90, "comcast.net"), (10, "xfinity.com")],
        mx: &["mx1.comcast.net", "mx2.comcast.net"],
        net: "96.114.157.",
        rollup: None,
        esmtp: "SIZE 36700160,8BITMIME,STARTTLS,ENHANCEDSTATUSCODES",
        tls: TLS12,
        accepted: &[(1, "smtp;250 2.0.0 {qid} mail accepted for delivery")],
        deferral: 250,
        deferred: &[(
            1,
            (
                "4.1.0 (other address status)",
                "smtp;421 4.1.0 {ip} Throttled - try again later. Please see https://postmaster.comcast.net/smtp-error-codes.php#RL000001",
                "policy-related",
            ),
        )],
        bounce: 170,
        bounced: &[
            (
                3,
                (
                    "5.1.1 (bad destination mailbox address)",
                    "smtp;550 5.1.1 Not our Customer",
                    "bad-mailbox",
                ),
            ),
            (
                1,
                (
                    "5.2.0 (other or undefined mailbox status)",
                    "smtp;554 5.2.0 Message rejected due to DMARC. Please see https://postmaster.comcast.net/smtp-error-codes.php#DM000001",
                    "policy-related",
                ),
            ),
        ],
    },
    Provider {
        share: 1000,
        domains: &[],
        mx: &["mail", "mx", "mx1", "in.smtp"],
        net: "198.51.100.",
        rollup: None,
        esmtp: "PIPELINING,SIZE 52428800,ETRN,STARTTLS,ENHANCEDSTATUSCODES,8BITMIME,DSN",
        tls: TLS12,
        accepted: &[
            (5, "smtp;250 2.0.0 Ok: queued as {qid}"),
            (3, "smtp;250 OK id={gid}"),
            (1, "smtp;250 2.0.0 {hex} Message accepted for delivery"),
        ],
        deferral: 600,
        deferred: &[
            (
                4,
                (
                    "4.7.1 (delivery not authorized)",
                    "smtp;450 4.7.1 <{rcpt}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/{rcptdomain}.html",
                    "policy-related",
                ),
            ),
            (
                2,
                (
                    "4.7.1 (delivery not authorized)",
                    "smtp;451 4.7.1 Please try again later (try in {n} seconds)",
                    "other",
                ),
            ),
            (1, ("4.4.2 (bad connection)", "", "bad-connection")),
        ],
        bounce: 400,
        bounced: &[
            (8, UNKNOWN),
            (
                3,
                (
                    "5.7.1 (delivery not authorized)",
                    "smtp;554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/{ip}",
                    "spam-related",
                ),
            ),
            (
                2,
                (
                    "5.1.1 (bad destination mailbox address)",
                    "smtp;550 5.1.1 no such local recipient: <{rcpt}> in \"RCPT TO:<{rcpt}>\"",
                    "bad-mailbox",
                ),
            ),
            (2, ("5.4.4 (unable to route)", "", "bad-domain")),
            (
                1,
                (
                    "5.7.1 (delivery not authorized)",
                    "smtp;550 5.7.1 Message rejected as spam by Content Filtering.",
                    "content-related",
                ),
            ),
            (
                1,
                (
                    "5.0.0 (undefined status)",
                    "smtp;554 Blocked - see https://www.barracudanetworks.com/reputation/?r=1&ip={ip}",
                    "spam-related",
                ),
            ),
        ],
    },
];

/// A sending identity.
pub(crate) struct Vmta {
    pub(crate) name: &'static str,
    pub(crate) pool: &'static str,
    pub(crate) ip: &'static str,
}

const fn vmta(name: &'static str, pool: &'static str, ip: &'static str) -> Vmta {
    Vmta { name, pool, ip }
}

/// The sending identities; pools of a sender lie side by side.
pub(crate) const VMTAS: &[Vmta] = &[
    vmta("vmta-news-1", "pool-news", "192.0.2.11"),
    vmta("vmta-news-2", "pool-news", "192.0.2.12"),
    vmta("vmta-news-3", "pool-news", "192.0.2.13"),
    vmta("vmta-bulk-1", "pool-bulk", "192.0.2.21"),
    vmta("vmta-bulk-2", "pool-bulk", "192.0.2.22"),
    vmta("vmta-bulk-3", "pool-bulk", "192.0.2.23"),
    vmta("vmta-bulk-4", "pool-bulk", "192.0.2.24"),
    vmta("vmta-txn-1", "pool-transactional", "203.0.113.31"),
    vmta("vmta-txn-2", "pool-transactional", "203.0.113.32"),
];

/// A sender: its envelope domain, the first and the last of its identities, its share.
pub(crate) const SENDERS: &[(u32, (&str, usize, usize))] = &[
    (30, ("bounce.news.example.com", 0, 2)),
    (25, ("bounces.shop.example.net", 3, 6)),
    (15, ("em.travel.example.org", 3, 6)),
    (10, ("bounce.bank.example", 7, 8)),
    (12, ("mail.forum.example.net", 0, 2)),
    (8, ("notify.app.example.com", 7, 8)),
];

/// How many domains the long tail has.
pub(crate) const TAIL: usize = 4000;

/// Words of which names and domains of the long tail are made.
pub(crate) const WORDS: &[&str] = &[
    "anna", "bridge", "cedar", "delta", "ember", "falcon", "grove", "harbor", "iris", "jonas",
    "kestrel", "linden", "maple", "nova", "orchid", "pine", "quartz", "river", "stone", "tulip",
];

/// Endings of the domains of the long tail.
pub(crate) const ENDINGS: &[&str] =
    &["com", "net", "org", "de", "fr", "co.uk", "it", "nl", "com.br", "pl"];
