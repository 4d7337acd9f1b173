/* The schema, version by version: STATEMENT(version, database, sql). Every step from one version to
 * the next is here, and `store_open` runs those that a home lacks, in order, in one transaction.
 * Times are milliseconds since 1970 UTC; hash is SHA-256 of a statement's PAE; id is 16 bytes.
 * Tables marked APPEND_ONLY(table) get triggers that refuse UPDATE, DELETE and REPLACE. BLANKABLE(version, table,
 * columns, condition) loosens that for erasure: a row for which the condition holds may have just these columns
 * made empty, and nothing else. */

/* --- keys.db: what erasure destroys ------------------------------------------------------------ */
STATEMENT(1, "keys", "CREATE TABLE record_key (hash BLOB PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID")
STATEMENT(1, "keys", "CREATE TABLE exhibit_key (exhibit BLOB PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID")

/* --- what was said ----------------------------------------------------------------------------- */
/* sealed: the act, encrypted under its record key. request: the request whose file it belongs to. */
STATEMENT(1, "main", "CREATE TABLE statement (seq INTEGER PRIMARY KEY, id BLOB NOT NULL, sender TEXT NOT NULL, "
	"addressee TEXT NOT NULL, kind TEXT NOT NULL, hash BLOB NOT NULL UNIQUE, own INTEGER NOT NULL, request BLOB, "
	"case_ref TEXT NOT NULL, time INTEGER NOT NULL, arrived INTEGER NOT NULL, sealed BLOB NOT NULL, "
	"UNIQUE (sender, id)) STRICT")
STATEMENT(1, "main", "CREATE INDEX statement_request ON statement (request, seq)")
APPEND_ONLY(1, "statement")
/* Drafts and the approvals that they have; gone when sent. */
STATEMENT(1, "main", "CREATE TABLE draft (id BLOB PRIMARY KEY, kind TEXT NOT NULL, addressee TEXT NOT NULL, "
	"case_ref TEXT NOT NULL, request BLOB, officer TEXT NOT NULL, payload BLOB NOT NULL, hash BLOB NOT NULL UNIQUE, "
	"created INTEGER NOT NULL) STRICT")
STATEMENT(1, "main", "CREATE TABLE draft_approval (seq INTEGER PRIMARY KEY, draft BLOB NOT NULL REFERENCES draft (id) "
	"ON DELETE CASCADE, approver TEXT NOT NULL, role TEXT NOT NULL, envelope BLOB NOT NULL, "
	"UNIQUE (draft, approver, role)) STRICT")

/* --- the log ----------------------------------------------------------------------------------- */
/* rank: 0 our own acts, 1 what peers sent (peer says who), 2 pages: no peer and no flood of pages delays what we say. */
STATEMENT(1, "main", "CREATE TABLE leaf_queue (seq INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL, leaf BLOB NOT NULL, "
	"rank INTEGER NOT NULL, peer TEXT NOT NULL) STRICT")
STATEMENT(1, "main", "CREATE INDEX leaf_queue_order ON leaf_queue (rank, seq)")
STATEMENT(1, "main", "CREATE INDEX leaf_queue_peer ON leaf_queue (peer)")
STATEMENT(1, "main", "CREATE TABLE log_leaf (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL, hash BLOB) STRICT")
STATEMENT(1, "main", "CREATE INDEX log_leaf_hash ON log_leaf (hash) WHERE hash IS NOT NULL")
APPEND_ONLY(1, "log_leaf")
/* No gap and no other order: a leaf's place is its number. */
STATEMENT(1, "main", "CREATE TRIGGER log_leaf_next BEFORE INSERT ON log_leaf "
	"WHEN NEW.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM log_leaf) "
	"BEGIN SELECT RAISE(ABORT, 'log_leaf takes only the next index'); END")
/* One row: tree size and right edge, written with the leaves. */
STATEMENT(1, "main", "CREATE TABLE log_edge (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, edge BLOB NOT NULL) STRICT")
/* One row: the last checkpoint note. */
STATEMENT(1, "main", "CREATE TABLE log_note (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, note BLOB NOT NULL) STRICT")

/* --- requests ---------------------------------------------------------------------------------- */
/* asked: 1 when a peer asks us. hold_until, order_expires, acknowledged_at: 0 when not set. */
STATEMENT(1, "main", "CREATE TABLE request (id BLOB PRIMARY KEY, kind TEXT NOT NULL, peer TEXT NOT NULL, case_ref TEXT NOT NULL, "
	"asked INTEGER NOT NULL, state TEXT NOT NULL, hash BLOB NOT NULL, preservation BLOB, hold_until INTEGER NOT NULL, "
	"order_expires INTEGER NOT NULL, acknowledged_by TEXT NOT NULL, acknowledged_at INTEGER NOT NULL, "
	"created INTEGER NOT NULL, updated INTEGER NOT NULL) STRICT")
/* Who is to be paged, and which hold ends: asked whenever something arrived. */
STATEMENT(1, "main", "CREATE INDEX request_paging ON request (created) WHERE asked = 1 AND state = 'received'")
STATEMENT(1, "main", "CREATE INDEX request_hold ON request (hold_until) WHERE state = 'preserved' AND hold_until > 0")
STATEMENT(1, "main", "CREATE TABLE request_move (seq INTEGER PRIMARY KEY, request BLOB NOT NULL, from_state TEXT NOT NULL, "
	"event TEXT NOT NULL, to_state TEXT NOT NULL, hash BLOB, why TEXT NOT NULL, time INTEGER NOT NULL) STRICT")
APPEND_ONLY(1, "request_move")
/* Who was paged about what; ended 0 while the page command runs. */
STATEMENT(1, "main", "CREATE TABLE page (seq INTEGER PRIMARY KEY, request BLOB NOT NULL, officer TEXT NOT NULL, "
	"sent INTEGER NOT NULL, ended INTEGER NOT NULL, exit_status INTEGER NOT NULL) STRICT")

/* --- between nodes ----------------------------------------------------------------------------- */
/* Statements on their way. next: when to try again; done: when a receipt came (0: not yet). basis and time are the
 * statement's: with the kind they make the class record of the peer's leaf. */
STATEMENT(1, "main", "CREATE TABLE outbox (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, id BLOB NOT NULL, peer TEXT NOT NULL, "
	"kind TEXT NOT NULL, queued INTEGER NOT NULL, attempts INTEGER NOT NULL, next INTEGER NOT NULL, done INTEGER NOT NULL, "
	"last_error TEXT NOT NULL, basis TEXT NOT NULL, time INTEGER NOT NULL) STRICT")
STATEMENT(1, "main", "CREATE INDEX outbox_due ON outbox (peer, seq) WHERE done = 0")
/* What the other side answered to our statement; proof: its proof message, empty until it came. */
STATEMENT(1, "main", "CREATE TABLE receipt (hash BLOB PRIMARY KEY, envelope BLOB NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, "
	"time INTEGER NOT NULL, proof_due INTEGER NOT NULL, proof BLOB NOT NULL) STRICT")
STATEMENT(1, "main", "CREATE INDEX receipt_unproved ON receipt (proof_due) WHERE outcome = 'received' AND length(proof) = 0")
/* What we answered to theirs: the same letter again gets the same receipt again. */
STATEMENT(1, "main", "CREATE TABLE receipt_given (sender TEXT NOT NULL, id BLOB NOT NULL, hash BLOB NOT NULL, envelope BLOB NOT NULL, "
	"PRIMARY KEY (sender, id)) STRICT, WITHOUT ROWID")
APPEND_ONLY(1, "receipt_given")
/* Proofs that we owe to senders; done 0 until the peer took it. */
STATEMENT(1, "main", "CREATE TABLE proof_out (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, peer TEXT NOT NULL, "
	"next INTEGER NOT NULL, attempts INTEGER NOT NULL, done INTEGER NOT NULL) STRICT")
STATEMENT(1, "main", "CREATE INDEX proof_out_due ON proof_out (peer, seq) WHERE done = 0")
/* Letters that could not be accepted and did not verify: one count per peer and day. */
STATEMENT(1, "main", "CREATE TABLE reject_count (peer TEXT NOT NULL, day TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, "
	"PRIMARY KEY (peer, day, reason)) STRICT, WITHOUT ROWID")

/* --- register ---------------------------------------------------------------------------------- */
/* Small single values: "register-bundle", "register-checked", "restored". */
STATEMENT(1, "main", "CREATE TABLE cell (name TEXT PRIMARY KEY, value BLOB NOT NULL, time INTEGER NOT NULL) STRICT")
STATEMENT(1, "main", "CREATE TABLE pin (party TEXT PRIMARY KEY, hash BLOB NOT NULL, act BLOB NOT NULL, time INTEGER NOT NULL) STRICT")

/* --- evidence ---------------------------------------------------------------------------------- */
/* own: 1 when we hand it over. blob: name under blobs/ of the sealed content ("" while not there).
 * state: receiving, ready, released | announced, fetching, opened, broken. statement: of the exhibit act. */
STATEMENT(1, "main", "CREATE TABLE exhibit (id BLOB PRIMARY KEY, request BLOB NOT NULL, peer TEXT NOT NULL, own INTEGER NOT NULL, "
	"name TEXT NOT NULL, size INTEGER NOT NULL, sha256 BLOB NOT NULL, sealed_size INTEGER NOT NULL, sealed_sha256 BLOB NOT NULL, "
	"media TEXT NOT NULL, personal INTEGER NOT NULL, blob TEXT NOT NULL, state TEXT NOT NULL, statement BLOB, fetched INTEGER NOT NULL, next INTEGER NOT NULL, "
	"attempts INTEGER NOT NULL, failed INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL) STRICT")
STATEMENT(1, "main", "CREATE INDEX exhibit_request ON exhibit (request)")
STATEMENT(1, "main", "CREATE TABLE custody (exhibit BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (exhibit, seq)) STRICT")
APPEND_ONLY(1, "custody")

/* --- version 2: exchange/classes.c ---------------------------------------------------------------- */
/* Secrets of the log: "null" makes null leaves that this home alone can tell. */
STATEMENT(2, "keys", "CREATE TABLE log_secret (name TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID")
/* What a real leaf's class commitment opens to: with the leaf from the queue into the log; outlives the record's key. */
STATEMENT(2, "main", "ALTER TABLE leaf_queue ADD COLUMN salt BLOB")
STATEMENT(2, "main", "ALTER TABLE leaf_queue ADD COLUMN class TEXT")
STATEMENT(2, "main", "ALTER TABLE leaf_queue ADD COLUMN basis TEXT")
STATEMENT(2, "main", "ALTER TABLE leaf_queue ADD COLUMN week TEXT")
STATEMENT(2, "main", "ALTER TABLE leaf_queue ADD COLUMN exercise INTEGER")
STATEMENT(2, "main", "CREATE TABLE leaf_class (idx INTEGER PRIMARY KEY, salt BLOB NOT NULL, class TEXT NOT NULL, basis TEXT NOT NULL, "
	"week TEXT NOT NULL, exercise INTEGER NOT NULL) STRICT")
APPEND_ONLY(2, "leaf_class")
/* exchange/parameters.c, exchange/publish.c, exchange/openings.c */
/* Versions of how the log is kept; start: first moment of the week from which it holds; body: of the statement. */
STATEMENT(2, "main", "CREATE TABLE log_parameters (version INTEGER PRIMARY KEY, start INTEGER NOT NULL, hash BLOB NOT NULL, body TEXT NOT NULL) STRICT")
APPEND_ONLY(2, "log_parameters")
/* store/restart.c: statements whose leaf stands in a log of ours that ended */
STATEMENT(2, "main", "CREATE TABLE leaf_ended (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID")
STATEMENT(2, "main", "CREATE TABLE published (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE) STRICT")
/* Quarters of the log: the size that it had when the first slot of each closed. */
STATEMENT(2, "main", "CREATE TABLE log_period (period TEXT PRIMARY KEY, first INTEGER NOT NULL) STRICT, WITHOUT ROWID")
APPEND_ONLY(2, "log_period")
/* What was opened of a quarter, so many quarters after its end; withheld: how many of its leaves still are. */
STATEMENT(2, "main", "CREATE TABLE log_opened (period TEXT NOT NULL, quarters INTEGER NOT NULL, digest BLOB NOT NULL, hash BLOB NOT NULL, "
	"withheld INTEGER NOT NULL, PRIMARY KEY (period, quarters)) STRICT, WITHOUT ROWID")
/* Leaves that nobody here can open, and why: before null leaves had a key, or brought back after a restore. */
STATEMENT(2, "main", "CREATE TABLE log_unopened (seq INTEGER PRIMARY KEY, first INTEGER NOT NULL, until INTEGER NOT NULL, why TEXT NOT NULL) STRICT")
/* --- exchange/pending.c ------------------------------------------------------------------------- */
/* Letters that went (side 'ours') or came ('theirs') with the addressee's own cosignature alone; due: the full proof;
 * done: when it was taken, 0 until then; proof: theirs, as it came. */
STATEMENT(2, "main", "CREATE TABLE pending_proof (hash BLOB PRIMARY KEY, peer TEXT NOT NULL, side TEXT NOT NULL, due INTEGER NOT NULL, "
	"done INTEGER NOT NULL, proof BLOB NOT NULL) STRICT")

/* --- state.db of a witness: a database of its own (store_open_witness) -------------------------- */
/* Whose state this is: with another key it is of no use, and a key without its state must not sign. */
STATEMENT(2, "witness", "CREATE TABLE witness_self (one INTEGER PRIMARY KEY CHECK (one = 1), vkey TEXT NOT NULL, made INTEGER NOT NULL) STRICT")
/* hash: SHA-256 of the origin, as monitors ask. note: the last one that was cosigned, with log's and our line. */
STATEMENT(2, "witness", "CREATE TABLE witness (origin TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, size INTEGER NOT NULL CHECK (size >= 0), "
	"root BLOB NOT NULL CHECK (length(root) = 32), note BLOB NOT NULL, time INTEGER NOT NULL) STRICT")
STATEMENT(2, "witness", "CREATE TRIGGER witness_grows BEFORE UPDATE ON witness WHEN NEW.size < OLD.size OR "
	"(NEW.size = OLD.size AND NEW.root IS NOT OLD.root) BEGIN SELECT RAISE(ABORT, 'a witness does not go back'); END")
STATEMENT(2, "witness", "CREATE TRIGGER witness_stays BEFORE DELETE ON witness BEGIN SELECT RAISE(ABORT, 'a witness does not forget'); END")
/* exchange/pairs.c: the chain of letters between us and a peer. direction: 0 sent, 1 received; hash: of the letter's
 * statement, zero where a recovery skipped letters; head: after it. */
STATEMENT(2, "main", "CREATE TABLE pair_letter (peer TEXT NOT NULL, direction INTEGER NOT NULL, n INTEGER NOT NULL, hash BLOB NOT NULL, "
	"head BLOB NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (peer, direction, n)) STRICT, WITHOUT ROWID")
APPEND_ONLY(2, "pair_letter")
/* Letters that came before others which are still missing. */
STATEMENT(2, "main", "CREATE TABLE pair_early (peer TEXT NOT NULL, n INTEGER NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL, "
	"PRIMARY KEY (peer, n)) STRICT, WITHOUT ROWID")
/* Two histories that differ. what: receipt, letter, closing, recovery; evidence: what they signed, or empty; about: of which
 * statement, so that it goes when that is erased. */
STATEMENT(2, "main", "CREATE TABLE pair_dispute (peer TEXT NOT NULL, what TEXT NOT NULL, n INTEGER NOT NULL, ours BLOB NOT NULL, "
	"theirs BLOB NOT NULL, about BLOB, evidence BLOB NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (peer, what, n)) STRICT")
/* exchange/closings.c: own 1: what we said of a quarter, 0: what the peer said; equal 0: it does not fit ours at that number. */
STATEMENT(2, "main", "CREATE TABLE pair_closing (peer TEXT NOT NULL, period TEXT NOT NULL, own INTEGER NOT NULL, hash BLOB NOT NULL, "
	"equal INTEGER NOT NULL, n INTEGER NOT NULL, head BLOB NOT NULL, sent INTEGER NOT NULL, received INTEGER NOT NULL, PRIMARY KEY (peer, period, own)) STRICT")
/* exchange/overdue.c: what we told peers about overdue proofs (hash: of our statement), and what they told us. */
STATEMENT(2, "main", "CREATE TABLE overdue (hash BLOB PRIMARY KEY, notice BLOB NOT NULL, time INTEGER NOT NULL) STRICT")
STATEMENT(2, "main", "CREATE TABLE overdue_heard (hash BLOB PRIMARY KEY, peer TEXT NOT NULL, due INTEGER NOT NULL, time INTEGER NOT NULL) STRICT")
/* exchange/pair-recover.c: whom we ask what it has of us, after a restore. traffic 1: nothing is approved before it answered. */
STATEMENT(2, "main", "CREATE TABLE pair_recovery (peer TEXT PRIMARY KEY, traffic INTEGER NOT NULL, next INTEGER NOT NULL, attempts INTEGER NOT NULL, "
	"error TEXT NOT NULL) STRICT")
/* Its place in that chain; 0: not counted. */
STATEMENT(2, "main", "ALTER TABLE outbox ADD COLUMN n INTEGER NOT NULL DEFAULT 0")
/* exchange/rejections.c: statements whose rejection stands in our log; how many of a count do; days of which the rest was told. */
STATEMENT(2, "main", "CREATE TABLE rejection (statement BLOB PRIMARY KEY, peer TEXT NOT NULL, time INTEGER NOT NULL) STRICT, WITHOUT ROWID")
STATEMENT(2, "main", "ALTER TABLE reject_count ADD COLUMN logged INTEGER NOT NULL DEFAULT 0")
STATEMENT(2, "main", "CREATE TABLE reject_day (peer TEXT NOT NULL, day TEXT NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (peer, day)) STRICT, WITHOUT ROWID")
/* === version 2 ================================================================================== */
/* --- erasure: exchange/erase.c ------------------------------------------------------------------- */
/* erased: when, 0: not; scrubbed: 1 once its keys and blobs are gone too. bare: 1 once no stanza of ours opens the blob. */
STATEMENT(2, "main", "ALTER TABLE request ADD COLUMN erased INTEGER NOT NULL DEFAULT 0")
STATEMENT(2, "main", "ALTER TABLE request ADD COLUMN scrubbed INTEGER NOT NULL DEFAULT 0")
STATEMENT(2, "main", "CREATE INDEX request_erased ON request (scrubbed) WHERE erased > 0")
STATEMENT(2, "main", "ALTER TABLE exhibit ADD COLUMN bare INTEGER NOT NULL DEFAULT 0")
STATEMENT(2, "main", "CREATE INDEX exhibit_with_stanza ON exhibit (created) WHERE own = 0 AND state = 'opened' AND bare = 0")
/* These stay last: they are made from the columns that a table has then. */
BLANKABLE(2, "statement", "case_ref sealed", "OLD.kind <> 'erasure' AND EXISTS (SELECT 1 FROM request WHERE id = OLD.request AND erased > 0)")
BLANKABLE(2, "request_move", "why", "EXISTS (SELECT 1 FROM request WHERE id = OLD.request AND erased > 0)")
BLANKABLE(2, "receipt_given", "envelope", "EXISTS (SELECT 1 FROM statement s JOIN request r ON r.id = s.request "
	"WHERE s.hash = OLD.hash AND s.kind <> 'erasure' AND r.erased > 0)")
#undef BLANKABLE
#undef STATEMENT
#undef APPEND_ONLY
