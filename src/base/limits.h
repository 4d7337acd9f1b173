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
/* Merkle proofs: a tree of 2^63 leaves. */
#define PROOF_HASHES_MAX 63u
/* tlog-tiles entry length is a uint16; ours are far smaller. */
#define LEAF_BYTES_MAX (1 * KIB)
/* Register: a bundle of all parties' entries, 200 parties at 16 KiB. */
#define REGISTER_BYTES_MAX (4 * MIB)
#define PARTIES_MAX 512u
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
/* Treaty data files. */
#define TREATY_BYTES_MAX (2 * MIB)

#endif
