/* Every limit on what comes from outside, on one page: value, unit, reason. */
#ifndef COMITY_BASE_LIMITS_H
#define COMITY_BASE_LIMITS_H

#include <stdint.h>

#define KIB 1024u
#define MIB (1024u * KIB)

/* A statement's payload: facts, lists of accounts and conditions in six languages fit in 64 KiB;
 * evidence itself never travels in a statement. */
#define STATEMENT_BYTES_MAX (64 * KIB)
/* Statement bodies: a line (name, code, telephone), a paragraph (facts, reasons) and a list. Facts in six
 * languages fit in 16 KiB; STATEMENT_BYTES_MAX bounds the whole. */
#define LINE_BYTES_MAX 300u
#define PARAGRAPH_BYTES_MAX (16 * KIB)
#define LIST_ITEMS_MAX 64u
/* Years of imprisonment; a life sentence is written as 99. */
#define PENALTY_YEARS_MAX 999
/* Base64 and JSON around it. */
#define ENVELOPE_BYTES_MAX (96 * KIB)
/* A letter carries one statement with its approvals and supporting acts (orders, custody). */
#define LETTER_BYTES_MAX (1 * MIB)
#define LETTER_ACTS_MAX 64u
#define ACT_APPROVALS_MAX 8u
/* Letters of one party to another, for ever: integers in JSON are exact up to 2^53. */
#define LETTER_NUMBER_MAX (INT64_C(9007199254740991))
/* Letters that may run ahead of those still missing, by peer (requests that never wait, exchange/pairs.h). */
#define PAIR_EARLY_MAX 64u
/* Letters before one that its sender cannot send any more, because it erased them (statement/letter.h). */
#define LETTER_GONE_MAX 256u
/* Each letter takes a place for ever, a rejected one too; a peer that is told so often a day is told to wait. One that retries
 * what is missing stays far below. */
#define REJECTIONS_PER_DAY_MAX 100000
/* Claims of one peer that do not fit our history: the first are evidence, more would only fill the disk. */
#define PAIR_DISPUTES_MAX 64u
/* A peer that asked which letters it lacks, or said that it lacks some, and had them set to go again, has that done again after
 * half a minute: what was lost with an answer comes soon, and nobody keeps us busy with asking. */
#define PAIR_AGAIN_MS_MAX 30000
/* Letters of which a restored node is told that it sent them and knows nothing: one a second for 136 years. */
#define PAIR_SKIP_MAX (UINT64_C(1) << 32)
/* Checkpoints of ours that witnesses showed and that our log does not lead to: more add nothing, the node is locked, and who
 * showed them will be asked again. */
#define SHOWN_MAX 16u
/* One POST of letters between nodes. */
#define LETTER_BATCH_MAX 32u
#define LETTER_BATCH_BYTES_MAX (2 * MIB)
/* Messages between roles: one packet of a Unix socket. The kernel's default socket buffer of
 * 208 KiB (doubled for accounting) sets it; what is larger goes through a descriptor (memfd). */
#define MESSAGE_BYTES_MAX (128 * KIB)
#define MESSAGE_FDS_MAX 4u
/* Signed note: text and at least 16 signatures (C2SP signed-note), post-quantum ones at 3.3 KiB. */
#define NOTE_BYTES_MAX (64 * KIB)
#define NOTE_SIGNATURES_MAX 32u
/* tlog-policy: the specification asks for at least 32 of each; a note holds no more cosignatures than
 * NOTE_SIGNATURES_MAX, post-quantum keys are lines of 1.8 KiB. */
#define POLICY_BYTES_MAX (64 * KIB)
#define POLICY_LOGS_MAX 64u
#define POLICY_WITNESSES_MAX 64u
#define POLICY_GROUPS_MAX 64u
/* Merkle proofs: a tree of 2^63 leaves. */
#define PROOF_HASHES_MAX 63u
/* tlog-tiles entry length is a uint16; ours are far smaller. */
#define LEAF_BYTES_MAX (1 * KIB)
/* A line of class openings: a class code, a basis, a week and a salt; the head names a log. */
#define OPENINGS_LINE_BYTES_MAX 512u
/* Register: a bundle of all parties' entries, 200 parties at 16 KiB. */
#define REGISTER_BYTES_MAX (4 * MIB)
/* A register that was asked for so lately is the newest that we can judge a proof by: two and a half minutes, longer
 * than a sender waits between two tries. */
#define REGISTER_ASKED_MS_MAX 150000
#define PARTIES_MAX 512u
/* Policies that a register lists, old ones too; with PARTIES_MAX entries a snapshot still fits into STATEMENT_BYTES_MAX. */
#define POLICIES_MAX 384u
/* How old a policy may let a proof be: 30 days, as long as a register may be in use. */
#define POLICY_AGE_S_MAX (30 * 24 * 3600)
/* JSON nesting; the deepest of ours is 6. */
#define JSON_DEPTH_MAX 16u
/* HTTP: header block and bodies that are not letters or evidence. */
#define HTTP_HEADER_BYTES_MAX (16 * KIB)
#define HTTP_BODY_BYTES_MAX (2 * MIB)
#define HTTP_CONNECTIONS_MAX 256u
/* age header: 20 recipients at about 100 bytes, post-quantum ones at 2 KiB. */
#define AGE_HEADER_BYTES_MAX (64 * KIB)
#define AGE_STANZAS_MAX 32u
/* BagIt package: tag files (manifests of 10^5 files), entries and depth. */
#define PACKAGE_TAG_BYTES_MAX (32 * MIB)
#define PACKAGE_FILES_MAX 100000u
#define PACKAGE_DEPTH_MAX 16u
#define PACKAGE_PATH_BYTES_MAX 255u
/* Texts in the local API: a letter in base64. */
#define API_TEXT_BYTES_MAX (2 * LETTER_BYTES_MAX)
/* Slots that the leaves of one peer's letters may fill ahead of time; beyond, it is told to come again. */
#define PEER_SLOTS_AHEAD_MAX 8
/* What the blobs of other parties leave free on the disk: the store needs room to say no. */
#define EXHIBIT_DISK_RESERVE_BYTES (UINT64_C(256) * MIB)
/* What a log publishes of itself: 2 * 10^5 acts; openings of a quarter with 2 * 10^6 leaves. */
#define PUBLISHED_INDEX_BYTES_MAX (32 * MIB)
#define OPENINGS_BYTES_MAX (512 * MIB)
/* What a monitor keeps of one log: the right edge, its note, and notes of others. */
#define MONITOR_STATE_BYTES_MAX (4 * MIB)
/* What a reader of other people's logs takes: logs at once, cross-log tags that it looks for, classes that it counts, the extra
 * line of a proof file, and of a web server: its address, redirects, files and bytes fetched ahead of their turn. Of each of
 * those a bundle of leaves of 4 KiB: what is larger is fetched again when it is asked for, alone. */
#define MONITOR_LOGS_MAX 1024u
#define EXPECTED_TAGS_MAX 1000000u
#define STATISTICS_COUNTERS_MAX 100000u
#define PROOF_EXTRA_BYTES_MAX (2 * KIB)
#define SOURCE_URL_BYTES_MAX 2000u
#define SOURCE_REDIRECTS_MAX 3L
#define SOURCE_AHEAD_FILES_MAX 64u
#define SOURCE_AHEAD_BYTES_MAX (32u * MIB)
#define SOURCE_AHEAD_FILE_BYTES_MAX (1u * MIB)
/* Options that are seconds: a week. */
#define OPTION_SECONDS_MAX 604800u
/* Witness: an add-checkpoint call (63 hashes and a note), calls that wait for the witness at once, logs that one
 * witness watches, and the address that a line of them gives. */
#define WITNESS_REQUEST_BYTES_MAX (NOTE_BYTES_MAX + 4 * KIB)
#define WITNESS_CALLS_WAITING_MAX 128u
#define WITNESS_LOGS_MAX 4096u
#define WITNESS_URL_BYTES_MAX 400u
#define WITNESS_LOGS_BYTES_MAX (2 * MIB)
/* Witnesses that a node asks: of its log's policy, and of those to whom letters may go proof-pending. */
#define COSIGNING_WITNESSES_MAX 64u
/* Treaty data files. */
#define TREATY_BYTES_MAX (2 * MIB)

#endif
