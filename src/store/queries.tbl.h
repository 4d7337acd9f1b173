/* Every query: QUERY(name, sql), of a home's store; WITNESS_QUERY(name, sql), of a witness's state. Parameters $1..$n, bound by their number; the same text serves SQLite
 * and PostgreSQL unless a row says otherwise. Grouped by who needs them. */

/* exchange/record.c */
/* The key store commits first, so a crash between the two files leaves a key without its record; when
 * the same statement comes again, its new key takes that place. The key of a record that is there stays. */
QUERY(record_key_add, "INSERT INTO record_key (hash, key) VALUES ($1, $2) ON CONFLICT (hash) DO UPDATE SET key = excluded.key "
	"WHERE NOT EXISTS (SELECT 1 FROM statement WHERE statement.hash = excluded.hash)")
QUERY(record_key_get, "SELECT key FROM record_key WHERE hash = $1")
QUERY(statement_add, "INSERT INTO statement (id, sender, addressee, kind, hash, own, request, case_ref, time, arrived, sealed) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
QUERY(statement_sealed, "SELECT sealed FROM statement WHERE hash = $1")
QUERY(leaf_queue_add, "INSERT INTO leaf_queue (hash, leaf, rank, peer, salt, class, basis, week, exercise) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
/* log/log.c */
QUERY(log_leaf_add, "INSERT INTO log_leaf (idx, leaf, hash) VALUES ($1, $2, $3)")
QUERY(log_leaf_range, "SELECT idx, leaf FROM log_leaf WHERE idx >= $1 AND idx < $2 ORDER BY idx")
QUERY(log_edge_get, "SELECT size, edge FROM log_edge WHERE one = 1")
QUERY(log_edge_put, "INSERT INTO log_edge (one, size, edge) VALUES (1, $1, $2) "
	"ON CONFLICT (one) DO UPDATE SET size = excluded.size, edge = excluded.edge")
/* exchange/node.c: one call or letter that fails leaves the rest of the turn whole */
QUERY(savepoint, "SAVEPOINT one")
QUERY(savepoint_keep, "RELEASE SAVEPOINT one")
QUERY(savepoint_back, "ROLLBACK TO SAVEPOINT one")
QUERY(statement_by_hash, "SELECT id, sender, addressee, kind, own, request, case_ref, time, arrived, seq FROM statement WHERE hash = $1")
QUERY(statement_of_request, "SELECT hash, id, sender, addressee, kind, own, time, arrived FROM statement WHERE request = $1 ORDER BY seq")
QUERY(request_add, "INSERT INTO request (id, kind, peer, case_ref, asked, state, hash, preservation, hold_until, order_expires, "
	"acknowledged_by, acknowledged_at, created, updated) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, '', 0, $9, $9)")
QUERY(request_get, "SELECT id, kind, peer, case_ref, asked, state, hash, preservation, hold_until, order_expires, acknowledged_by, "
	"acknowledged_at, created, updated, erased FROM request WHERE id = $1")
QUERY(request_list, "SELECT id FROM request ORDER BY created DESC, id LIMIT 1000")
QUERY(request_state, "UPDATE request SET state = $2, updated = $3 WHERE id = $1")
QUERY(request_clocks, "UPDATE request SET hold_until = $2, order_expires = $3 WHERE id = $1")
QUERY(request_acknowledged, "UPDATE request SET acknowledged_by = $2, acknowledged_at = $3 WHERE id = $1")
QUERY(request_hold_due, "SELECT id FROM request WHERE state = 'preserved' AND hold_until > 0 AND hold_until <= $1 LIMIT 50")
QUERY(request_orders_ending, "SELECT id, peer, order_expires FROM request WHERE asked = 1 AND state IN ('preserved', 'held-pending-mla') "
	"AND order_expires > 0 AND order_expires <= $1 ORDER BY order_expires LIMIT 100")
QUERY(request_followed_open, "SELECT id FROM request WHERE preservation = $1 AND id <> $2 AND state NOT IN "
	"('refused', 'unable', 'redirected', 'withdrawn', 'rejected', 'receipt-confirmed') LIMIT 1")
QUERY(request_move_add, "INSERT INTO request_move (request, from_state, event, to_state, hash, why, time) VALUES ($1, $2, $3, $4, $5, $6, $7)")
QUERY(request_moves, "SELECT from_state, event, to_state, hash, why, time FROM request_move WHERE request = $1 ORDER BY seq")
QUERY(count_open_requests, "SELECT count(*) FROM request WHERE state NOT IN ('refused', 'unable', 'redirected', 'withdrawn', 'lapsed', 'released', 'receipt-confirmed')")
/* exchange/slots.c */
QUERY(leaf_queue_take, "SELECT seq, hash, leaf FROM leaf_queue WHERE rank >= $1 AND rank <= $2 ORDER BY rank, seq LIMIT $3")
QUERY(leaf_queue_of_peer, "SELECT count(*) FROM leaf_queue WHERE peer = $1")
QUERY(leaf_queue_find, "SELECT seq, hash FROM leaf_queue WHERE leaf = $1")
QUERY(leaf_queue_drop_one, "DELETE FROM leaf_queue WHERE seq = $1")
QUERY(leaf_queue_count, "SELECT count(*) FROM leaf_queue")
QUERY(log_leaf_of, "SELECT idx, leaf FROM log_leaf WHERE hash = $1")
QUERY(log_note_get, "SELECT size, note FROM log_note WHERE one = 1")
QUERY(log_note_put, "INSERT INTO log_note (one, size, note) VALUES (1, $1, $2) "
	"ON CONFLICT (one) DO UPDATE SET size = excluded.size, note = excluded.note")
/* exchange/cosigning.c */
QUERY(outbox_peers, "SELECT DISTINCT peer, kind FROM outbox WHERE done = 0")
/* exchange/pending.c */
QUERY(pending_add, "INSERT INTO pending_proof (hash, peer, side, due, done, proof) VALUES ($1, $2, $3, $4, 0, x'') ON CONFLICT (hash) DO UPDATE SET due = excluded.due, done = 0, proof = x'' "
	"WHERE pending_proof.side = 'ours' AND pending_proof.done > 0")
QUERY(pending_get, "SELECT peer, side, due, done FROM pending_proof WHERE hash = $1")
QUERY(pending_done, "UPDATE pending_proof SET done = $2, proof = $3 WHERE hash = $1 AND done = 0")
QUERY(pending_proof, "SELECT proof FROM pending_proof WHERE hash = $1 AND side = 'theirs' AND done <> 0")
QUERY(pending_any, "SELECT 1 FROM pending_proof LIMIT 1")
QUERY(pending_counts, "SELECT count(CASE WHEN side = 'ours' THEN 1 END), count(CASE WHEN side = 'theirs' THEN 1 END), "
	"count(CASE WHEN due <= $1 THEN 1 END) FROM pending_proof WHERE done = 0")
QUERY(outbox_due_kinds, "SELECT o.seq, o.hash, o.kind, o.n FROM outbox o JOIN log_leaf l ON l.hash = o.hash "
	"WHERE o.peer = $1 AND o.done = 0 AND o.kind IN ($6, $7) AND o.seq > $5 AND o.next <= $4 AND l.idx >= $3 AND l.idx < $2 "
	"AND EXISTS (SELECT 1 FROM record_key k WHERE k.hash = o.hash) ORDER BY o.seq LIMIT 1000")
/* exchange/outbox.c */
QUERY(outbox_add, "INSERT INTO outbox (hash, id, peer, kind, queued, attempts, next, done, last_error, basis, time, n) "
	"VALUES ($1, $2, $3, $4, $5, 0, 0, 0, '', $6, $7, $8)")
/* What is not counted has no leaf and waits for no checkpoint. What has no key (older keys were restored) can never be sent:
 * the next letter says that it is gone; l.hash there has it looked for only once the rest holds. */
QUERY(outbox_due, "SELECT o.seq, o.hash, o.n FROM outbox o LEFT JOIN log_leaf l ON l.hash = o.hash "
	"WHERE o.peer = $1 AND o.done = 0 AND o.seq > $4 AND (o.n = 0 OR l.idx < $2) "
	"AND EXISTS (SELECT 1 FROM record_key k WHERE k.hash = coalesce(l.hash, o.hash)) ORDER BY o.seq LIMIT $3")
/* Of those that outbox_due chooses from. */
QUERY(outbox_waits, "SELECT 1 FROM outbox o LEFT JOIN log_leaf l ON l.hash = o.hash "
	"WHERE o.peer = $1 AND o.done = 0 AND o.next > $3 AND (o.n = 0 OR l.idx < $2) "
	"AND EXISTS (SELECT 1 FROM record_key k WHERE k.hash = o.hash) LIMIT 1")
QUERY(outbox_attempts, "SELECT attempts FROM outbox WHERE seq = $1")
QUERY(outbox_hold, "UPDATE outbox SET next = $2, attempts = attempts + 1, last_error = $3 WHERE seq = $1 AND done = 0")
QUERY(outbox_done, "UPDATE outbox SET done = $2, last_error = $3 WHERE hash = $1 AND done = 0")
QUERY(outbox_get, "SELECT seq, peer, queued, attempts, done, last_error, n FROM outbox WHERE hash = $1")
QUERY(outbox_class, "SELECT peer, kind, basis, time FROM outbox WHERE hash = $1")
QUERY(outbox_waiting, "SELECT o.id, o.peer, o.queued, o.last_error, o.kind, o.hash FROM outbox o WHERE o.done = 0 ORDER BY o.seq LIMIT 100")
QUERY(outbox_count, "SELECT count(*) FROM outbox WHERE done = 0")
QUERY(receipt_add, "INSERT INTO receipt (hash, envelope, outcome, reason, time, proof_due, proof) VALUES ($1, $2, $3, $4, $5, $6, x'')")
QUERY(receipt_get, "SELECT envelope, outcome, reason, time, proof_due, proof FROM receipt WHERE hash = $1")
QUERY(receipt_proof, "UPDATE receipt SET proof = $2 WHERE hash = $1 AND length(proof) = 0")
QUERY(proof_out_add, "INSERT INTO proof_out (hash, peer, next, attempts, done) VALUES ($1, $2, 0, 0, 0) ON CONFLICT (hash) DO NOTHING")
QUERY(receipt_proofs_waiting, "SELECT count(*) FROM receipt WHERE outcome = 'received' AND length(proof) = 0 AND proof_due > 0")
QUERY(proof_out_due, "SELECT p.seq, p.hash FROM proof_out p JOIN log_leaf l ON l.hash = p.hash "
	"WHERE p.peer = $1 AND p.done = 0 AND p.seq > $4 AND l.idx < $2 "
	"AND EXISTS (SELECT 1 FROM record_key k WHERE k.hash = p.hash) ORDER BY p.seq LIMIT $3")
QUERY(proof_out_peer, "SELECT coalesce(max(next), 0), coalesce(max(attempts), 0) FROM proof_out WHERE peer = $1 AND done = 0")
QUERY(proof_out_hold, "UPDATE proof_out SET next = $2, attempts = attempts + 1 WHERE seq = $1 AND done = 0")
QUERY(proof_out_done, "UPDATE proof_out SET done = $2 WHERE seq = $1 AND done = 0")
QUERY(proof_out_count, "SELECT count(*) FROM proof_out WHERE done = 0")
/* exchange/receive.c */
QUERY(receipt_given_get, "SELECT hash, envelope FROM receipt_given WHERE sender = $1 AND id = $2")
QUERY(receipt_given_add, "INSERT INTO receipt_given (sender, id, hash, envelope) VALUES ($1, $2, $3, $4)")
QUERY(reject_count_add, "INSERT INTO reject_count (peer, day, reason, count, logged) VALUES ($1, $2, $3, 1, $4) "
	"ON CONFLICT (peer, day, reason) DO UPDATE SET count = reject_count.count + 1, logged = reject_count.logged + excluded.logged")
QUERY(reject_count_of, "SELECT coalesce(sum(count), 0) FROM reject_count WHERE peer = $1 AND day = $2")
QUERY(reject_count_list, "SELECT peer, day, reason, count FROM reject_count ORDER BY day DESC, peer LIMIT 100")
/* exchange/rejections.c */
QUERY(rejection_add, "INSERT INTO rejection (statement, peer, time) VALUES ($1, $2, $3) ON CONFLICT (statement) DO NOTHING RETURNING 1")
QUERY(reject_days, "SELECT DISTINCT c.peer, c.day FROM reject_count c WHERE c.day < $1 AND c.count > c.logged "
	"AND NOT EXISTS (SELECT 1 FROM reject_day d WHERE d.peer = c.peer AND d.day = c.day) ORDER BY c.day, c.peer LIMIT $2")
QUERY(reject_of_day, "SELECT reason, count - logged FROM reject_count WHERE peer = $1 AND day = $2 AND count > logged ORDER BY reason")
QUERY(reject_day_said, "INSERT INTO reject_day (peer, day, hash) VALUES ($1, $2, $3)")
/* exchange/directory.c */
QUERY(cell_get, "SELECT value, time FROM cell WHERE name = $1")
QUERY(cell_put, "INSERT INTO cell (name, value, time) VALUES ($1, $2, $3) "
	"ON CONFLICT (name) DO UPDATE SET value = excluded.value, time = excluded.time")
QUERY(pin_put, "INSERT INTO pin (party, hash, act, time) VALUES ($1, $2, $3, $4) "
	"ON CONFLICT (party) DO UPDATE SET hash = excluded.hash, act = excluded.act, time = excluded.time")
QUERY(pin_list, "SELECT party, hash, act FROM pin ORDER BY party")
QUERY(entry_list, "SELECT hash FROM statement WHERE own = 1 AND kind = 'register-entry' ORDER BY seq")
QUERY(policy_list, "SELECT hash FROM statement WHERE own = 1 AND kind = 'register-policy' ORDER BY seq")
/* exchange/drafts.c */
QUERY(draft_add, "INSERT INTO draft (id, kind, addressee, case_ref, request, officer, payload, hash, created) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
QUERY(draft_get, "SELECT kind, addressee, case_ref, request, officer, payload, hash, created FROM draft WHERE id = $1")
QUERY(draft_list, "SELECT id, kind, addressee, case_ref, officer, hash, created FROM draft ORDER BY created DESC LIMIT 200")
QUERY(draft_drop, "DELETE FROM draft WHERE id = $1")
QUERY(draft_approval_add, "INSERT INTO draft_approval (draft, approver, role, envelope) VALUES ($1, $2, $3, $4)")
QUERY(draft_approvals, "SELECT approver, role, envelope FROM draft_approval WHERE draft = $1 ORDER BY seq")
/* exchange/exhibits.c */
QUERY(exhibit_add, "INSERT INTO exhibit (id, request, peer, own, name, size, sha256, sealed_size, sealed_sha256, blob, state, statement, "
	"fetched, next, attempts, created, media, personal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0, $13, $14, $15)")
QUERY(exhibit_get, "SELECT id, request, peer, own, name, size, sha256, sealed_size, sealed_sha256, blob, state, statement, fetched, next, attempts, "
	"media, personal, failed FROM exhibit WHERE id = $1")
QUERY(exhibit_of_request, "SELECT id FROM exhibit WHERE request = $1 ORDER BY created, id")
QUERY(exhibit_state, "UPDATE exhibit SET state = $2, blob = $3, fetched = $4, next = $5, attempts = $6, failed = $7 WHERE id = $1")
QUERY(exhibit_statement, "UPDATE exhibit SET statement = $2, state = $3 WHERE id = $1")
QUERY(exhibit_to_fetch, "SELECT id, peer FROM (SELECT id, peer, created, row_number() OVER (PARTITION BY peer ORDER BY created, id) AS nth "
	"FROM exhibit WHERE own = 0 AND state IN ('announced', 'fetching') AND next <= $1) AS waiting WHERE nth <= 8 ORDER BY created")
QUERY(statement_orders_of, "SELECT hash FROM statement WHERE request = $1 AND kind = 'order' AND own = 1 ORDER BY seq DESC")
QUERY(statement_all, "SELECT hash, own FROM statement ORDER BY seq")
QUERY(exhibit_blob_wanted, "SELECT count(*) FROM exhibit WHERE blob = $1")
QUERY(exhibit_key_add, "INSERT INTO exhibit_key (exhibit, key) VALUES ($1, $2) ON CONFLICT (exhibit) DO UPDATE SET key = excluded.key "
	"WHERE NOT EXISTS (SELECT 1 FROM exhibit WHERE exhibit.id = excluded.exhibit)") /* as record_key_add */
QUERY(exhibit_key_get, "SELECT key FROM exhibit_key WHERE exhibit = $1")
QUERY(custody_add, "INSERT INTO custody (exhibit, seq, hash) VALUES ($1, $2, $3)")
QUERY(custody_list, "SELECT seq, hash FROM custody WHERE exhibit = $1 ORDER BY seq")
/* exchange/duty.c */
QUERY(page_add, "INSERT INTO page (request, officer, sent, ended, exit_status) VALUES ($1, $2, $3, 0, 0)")
QUERY(page_ended, "UPDATE page SET ended = $2, exit_status = $3 WHERE seq = $1")
QUERY(page_of_request, "SELECT seq, officer, sent, ended, exit_status FROM page WHERE request = $1 ORDER BY seq")
/* Pages that went out, 20 at most, and tries, 200 at most; of one peer at most four requests page at a time, the
 * oldest first, and those that had all their pages keep no place. */
QUERY(page_due, "WITH waiting AS (SELECT r.id, r.peer, r.created, count(p.seq) AS tries, coalesce(max(p.sent), 0) AS last, "
	"count(CASE WHEN p.exit_status = 0 THEN p.seq END) AS pages FROM request r LEFT JOIN page p ON p.request = r.id "
	"WHERE r.asked = 1 AND r.state = 'received' GROUP BY r.id HAVING count(CASE WHEN p.exit_status = 0 THEN p.seq END) < 20 "
	"AND count(p.seq) < 200) "
	"SELECT w.id, w.tries, w.last FROM waiting w WHERE (SELECT count(*) FROM waiting o WHERE o.peer = w.peer "
	"AND o.created < w.created) < 4 ORDER BY w.created LIMIT 50")
QUERY(page_waiting, "SELECT count(*) FROM request WHERE asked = 1 AND state = 'received'")
/* exchange/erase.c: what is blanked stands column by column there. $1: the request */
#define OF_REQUEST "(SELECT hash FROM statement WHERE request = $1 AND kind <> 'erasure')"
QUERY(erase_request, "UPDATE request SET erased = $2, scrubbed = 0, case_ref = '', acknowledged_by = '' WHERE id = $1")
QUERY(erase_statements, "UPDATE statement SET case_ref = '', sealed = x'' WHERE request = $1 AND kind <> 'erasure' AND length(sealed) > 0")
QUERY(erase_moves, "UPDATE request_move SET why = '' WHERE request = $1 AND length(why) > 0")
QUERY(erase_pages, "UPDATE page SET officer = '' WHERE request = $1")
QUERY(erase_outbox, "UPDATE outbox SET last_error = '' WHERE hash IN " OF_REQUEST)
QUERY(erase_receipts, "UPDATE receipt SET envelope = x'', proof = x'', reason = '', outcome = CASE WHEN outcome = 'received' THEN 'erased' ELSE outcome END "
	"WHERE hash IN " OF_REQUEST)
QUERY(erase_receipts_given, "UPDATE receipt_given SET envelope = x'' WHERE length(envelope) > 0 AND (sender, id) IN "
	"(SELECT sender, id FROM statement WHERE request = $1 AND kind <> 'erasure' AND own = 0)")
QUERY(erase_pending, "UPDATE pending_proof SET proof = x'', done = CASE WHEN done = 0 THEN $2 ELSE done END WHERE hash IN " OF_REQUEST)
QUERY(erase_evidence, "UPDATE pair_dispute SET evidence = x'' WHERE about IN " OF_REQUEST)
QUERY(erase_drafts, "DELETE FROM draft WHERE request = $1 AND id <> $2")
QUERY(erase_exhibits, "UPDATE exhibit SET name = '', media = '', size = 0, sha256 = $2, sealed_size = 0, sealed_sha256 = $2, personal = 0, "
	"fetched = 0, state = 'erased' WHERE request = $1")
QUERY(erase_record_keys, "DELETE FROM record_key WHERE hash IN " OF_REQUEST)
QUERY(erase_exhibit_keys, "DELETE FROM exhibit_key WHERE exhibit IN (SELECT id FROM exhibit WHERE request = $1)")
QUERY(erase_blobs, "SELECT id, blob FROM exhibit WHERE request = $1 AND blob <> '' LIMIT 1")
QUERY(erase_blob_gone, "UPDATE exhibit SET blob = '' WHERE id = $1")
QUERY(erase_scrubbed, "UPDATE request SET scrubbed = 1 WHERE id = $1")
QUERY(erase_open, "SELECT id, erased FROM request WHERE erased > 0 AND scrubbed = 0 LIMIT 64")
QUERY(erase_unfinished, "SELECT count(*) FROM request WHERE erased > 0 AND scrubbed = 0")
QUERY(erase_again, "UPDATE request SET scrubbed = 0 WHERE erased > 0 AND scrubbed = 1 AND (EXISTS (SELECT 1 FROM statement s JOIN record_key k "
	"ON k.hash = s.hash WHERE s.request = request.id AND s.kind <> 'erasure') OR EXISTS (SELECT 1 FROM exhibit x JOIN exhibit_key k "
	"ON k.exhibit = x.id WHERE x.request = request.id))")
QUERY(erase_count, "SELECT count(*) FROM statement WHERE request = $1 AND kind <> 'erasure'")
QUERY(erase_undelivered, "SELECT count(*) FROM outbox WHERE done = 0 AND hash IN " OF_REQUEST)
QUERY(erase_proofs_waiting, "SELECT count(*) FROM receipt WHERE outcome = 'received' AND length(proof) = 0 AND proof_due > $2 AND hash IN " OF_REQUEST)
QUERY(erase_proofs_owed, "SELECT count(*) FROM proof_out WHERE done = 0 AND hash IN " OF_REQUEST)
QUERY(erase_fetching, "SELECT count(*) FROM exhibit WHERE request = $1 AND state IN ('announced', 'fetching')")
QUERY(erase_asked, "SELECT hash, time FROM statement WHERE request = $1 AND kind = 'erasure' AND own = 0 ORDER BY seq DESC LIMIT 1")
QUERY(erased_when, "SELECT r.erased FROM statement s JOIN request r ON r.id = s.request WHERE s.hash = $1 AND s.kind <> 'erasure' AND r.erased > 0")
QUERY(outbox_unreadable, "UPDATE outbox SET done = $1, last_error = 'its key is gone' WHERE done = 0 AND NOT EXISTS "
	"(SELECT 1 FROM record_key k WHERE k.hash = outbox.hash)")
QUERY(exhibit_to_bare, "SELECT id, blob FROM exhibit WHERE own = 0 AND state = 'opened' AND bare = 0 LIMIT 1")
QUERY(exhibit_bare, "UPDATE exhibit SET bare = 1 WHERE id = $1")
#undef OF_REQUEST
/* exchange/pairs.c */
QUERY(pair_last, "SELECT n, head FROM pair_letter WHERE peer = $1 AND direction = $2 ORDER BY n DESC LIMIT 1")
QUERY(pair_at, "SELECT hash, head FROM pair_letter WHERE peer = $1 AND direction = $2 AND n = $3")
/* What is before letter $2, the newest first; there: it can still be sent. */
QUERY(pair_before, "SELECT p.n, p.hash, p.head, EXISTS (SELECT 1 FROM record_key k WHERE k.hash = p.hash) AS there FROM pair_letter p "
	"WHERE p.peer = $1 AND p.direction = 0 AND p.n < $2 ORDER BY p.n DESC")
QUERY(pair_lost_any, "SELECT 1 FROM pair_letter WHERE peer = $1 AND direction = $2 AND hash = $3 LIMIT 1")
QUERY(pair_add, "INSERT INTO pair_letter (peer, direction, n, hash, head, time) VALUES ($1, $2, $3, $4, $5, $6)")
QUERY(pair_early_get, "SELECT prev, hash FROM pair_early WHERE peer = $1 AND n = $2")
QUERY(pair_early_count, "SELECT count(*) FROM pair_early WHERE peer = $1")
QUERY(pair_early_add, "INSERT INTO pair_early (peer, n, prev, hash) VALUES ($1, $2, $3, $4)")
QUERY(pair_early_forget, "DELETE FROM pair_early WHERE peer = $1 AND n > $2")
QUERY(pair_early_drop, "DELETE FROM pair_early WHERE peer = $1 AND n = $2")
QUERY(pair_dispute_add, "INSERT INTO pair_dispute (peer, what, n, ours, theirs, evidence, time, about) "
	"SELECT $1, $2, $3, $4, $5, $6, $7, $9 WHERE (SELECT count(*) FROM pair_dispute WHERE peer = $1) < $8 ON CONFLICT (peer, what, n) DO NOTHING")
QUERY(pair_dispute_evidence, "SELECT peer, what, n, evidence FROM pair_dispute ORDER BY n, peer")
QUERY(pair_dispute_list, "SELECT peer, what, n, ours, theirs, time FROM pair_dispute ORDER BY time, peer LIMIT 100")
/* exchange/closings.c */
QUERY(pair_closing_last, "SELECT period, sent, received FROM pair_closing WHERE peer = $1 AND own = 1 ORDER BY period DESC LIMIT 1")
QUERY(pair_traffic, "SELECT 1 FROM pair_letter WHERE peer = $1 AND direction = $2 AND n > $3 AND time >= $4 AND time < $5 LIMIT 1")
QUERY(pair_closing_add, "INSERT INTO pair_closing (peer, period, own, hash, equal, n, head, sent, received) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
	"ON CONFLICT (peer, period, own) DO NOTHING")
QUERY(pair_closing_unequal, "SELECT n, head FROM pair_closing WHERE hash = $1 AND own = 0 AND equal = 0")
/* exchange/overdue.c */
QUERY(overdue_due, "SELECT r.hash FROM receipt r WHERE r.outcome = 'received' AND length(r.proof) = 0 AND r.proof_due > 0 AND r.proof_due < $1 "
	"AND NOT EXISTS (SELECT 1 FROM overdue o WHERE o.hash = r.hash) ORDER BY r.proof_due LIMIT $2")
QUERY(overdue_add, "INSERT INTO overdue (hash, notice, time) VALUES ($1, $2, $3)")
QUERY(overdue_get, "SELECT notice, time FROM overdue WHERE hash = $1")
QUERY(overdue_list, "SELECT b.peer, o.hash, r.proof_due, o.time FROM overdue o JOIN receipt r ON r.hash = o.hash JOIN outbox b ON b.hash = o.hash "
	"WHERE length(r.proof) = 0 ORDER BY r.proof_due LIMIT 100")
QUERY(overdue_heard_add, "INSERT INTO overdue_heard (hash, peer, due, time) VALUES ($1, $2, $3, $4) "
	"ON CONFLICT (hash) DO UPDATE SET due = excluded.due, time = excluded.time WHERE overdue_heard.time <= excluded.time - $5")
QUERY(overdue_heard_list, "SELECT peer, hash, due, time FROM overdue_heard ORDER BY time DESC LIMIT 100")
QUERY(proof_out_again, "UPDATE proof_out SET next = 0, attempts = 0, done = 0 WHERE hash = $1 AND peer = $2")
/* exchange/pair-recover.c */
QUERY(pair_recovery_list, "SELECT peer, traffic, error FROM pair_recovery ORDER BY peer")
QUERY(pair_recovery_get, "SELECT attempts FROM pair_recovery WHERE peer = $1")
QUERY(pair_recovery_put, "INSERT INTO pair_recovery (peer, traffic, next, attempts, error) VALUES ($1, $2, 0, 0, '') "
	"ON CONFLICT (peer) DO UPDATE SET traffic = excluded.traffic, next = 0, attempts = 0")
QUERY(proof_out_recent, "UPDATE proof_out SET next = 0, attempts = 0, done = 0 WHERE peer = $1 AND done > 0 "
	"AND seq > (SELECT coalesce(max(seq), 0) - 4096 FROM proof_out)")
QUERY(pair_recovery_due, "SELECT peer FROM pair_recovery WHERE next <= $1 ORDER BY next, peer")
QUERY(pair_recovery_later, "UPDATE pair_recovery SET next = $2, error = $3, attempts = attempts + 1 WHERE peer = $1")
QUERY(pair_recovery_done, "DELETE FROM pair_recovery WHERE peer = $1")
QUERY(outbox_uncounted, "SELECT seq, hash, peer FROM outbox WHERE done = 0 AND n = 0 AND kind <> 'overdue-notice' ORDER BY seq LIMIT 1")
QUERY(outbox_number, "UPDATE outbox SET n = $2 WHERE seq = $1")
/* Found by their places: the outbox is not read from end to end. What was erased since cannot be sent. */
QUERY(outbox_again, "UPDATE outbox SET done = 0, next = 0, attempts = 0 WHERE peer = $1 AND n > 0 AND done > 0 AND hash IN "
	"(SELECT p.hash FROM pair_letter p JOIN record_key k ON k.hash = p.hash WHERE p.peer = $1 AND p.direction = 0 AND p.n > $2)")
/* exchange/classes.c */
QUERY(log_secret_get, "SELECT key FROM log_secret WHERE name = $1")
QUERY(log_secret_add, "INSERT INTO log_secret (name, key) VALUES ($1, $2)")
QUERY(leaf_class_keep, "INSERT INTO leaf_class (idx, salt, class, basis, week, exercise) "
	"SELECT $2, salt, class, basis, week, exercise FROM leaf_queue WHERE seq = $1 AND salt IS NOT NULL")
QUERY(leaf_classes, "SELECT l.idx, l.leaf, l.hash, c.salt, c.class, c.basis, c.week, c.exercise FROM log_leaf l "
	"LEFT JOIN leaf_class c ON c.idx = l.idx WHERE l.idx >= $1 AND l.idx < $2 ORDER BY l.idx")
QUERY(log_unopened_add, "INSERT INTO log_unopened (first, until, why) VALUES ($1, $2, $3)")
QUERY(log_unopened_of, "SELECT why FROM log_unopened WHERE first <= $1 AND until > $1 ORDER BY seq LIMIT 1")
QUERY(log_leaf_count, "SELECT coalesce(max(idx) + 1, 0) FROM log_leaf")
/* exchange/parameters.c */
QUERY(log_parameters_add, "INSERT INTO log_parameters (version, start, hash, body) VALUES ($1, $2, $3, $4)")
QUERY(log_parameters_list, "SELECT version, start, body FROM log_parameters ORDER BY version")
/* exchange/publish.c */
QUERY(published_add, "INSERT INTO published (hash) VALUES ($1) ON CONFLICT (hash) DO NOTHING")
QUERY(published_list, "SELECT p.hash, s.kind, s.time FROM published p JOIN statement s ON s.hash = p.hash ORDER BY p.seq")
/* exchange/openings.c */
QUERY(log_period_last, "SELECT coalesce(max(period), '') FROM log_period")
QUERY(log_period_add, "INSERT INTO log_period (period, first) VALUES ($1, $2)")
QUERY(log_period_list, "SELECT p.period, p.first, (SELECT n.first FROM log_period n WHERE n.period > p.period ORDER BY n.period LIMIT 1) "
	"FROM log_period p ORDER BY p.period")
QUERY(log_opened_last, "SELECT quarters, digest, withheld, hash FROM log_opened WHERE period = $1 ORDER BY quarters DESC LIMIT 1")
QUERY(log_opened_put, "INSERT INTO log_opened (period, quarters, digest, hash, withheld) VALUES ($1, $2, $3, $4, $5) "
	"ON CONFLICT (period, quarters) DO UPDATE SET digest = excluded.digest, hash = excluded.hash, withheld = excluded.withheld")
/* exchange/audit-log.c: who must have a leaf are our own acts and those that we owe a proof of */
QUERY(audit_statements, "SELECT s.seq, s.hash, s.kind, EXISTS (SELECT 1 FROM log_leaf l WHERE l.hash = s.hash) "
	"OR EXISTS (SELECT 1 FROM leaf_queue w WHERE w.hash = s.hash) OR EXISTS (SELECT 1 FROM leaf_ended x WHERE x.hash = s.hash) "
	"OR (s.own = 0 AND NOT EXISTS (SELECT 1 FROM proof_out p WHERE p.hash = s.hash)) FROM statement s WHERE s.seq > $1 ORDER BY s.seq LIMIT $2")
/* The erased request of this statement, whose leaf is $2; whether another leaf is said to be of the same statement. */
QUERY(audit_erased, "SELECT s.request, EXISTS (SELECT 1 FROM log_leaf d WHERE d.hash = s.hash AND d.idx <> $2) FROM statement s "
	"JOIN request r ON r.id = s.request WHERE s.hash = $1 AND s.kind <> 'erasure' AND r.erased > 0")
/* What may account for the keys of a request: our own erasures, in the log or on their way into it; how many statements have
 * no key any more. */
QUERY(audit_erasures, "SELECT x.hash, coalesce((SELECT l.leaf FROM log_leaf l WHERE l.hash = x.hash), (SELECT w.leaf FROM leaf_queue w WHERE w.hash = x.hash)), "
	"(SELECT count(*) FROM statement o WHERE o.request = $1 AND o.kind <> 'erasure' "
	"AND NOT EXISTS (SELECT 1 FROM record_key k WHERE k.hash = o.hash)) "
	"FROM statement x WHERE x.request = $1 AND x.kind = 'erasure' AND x.own = 1 ORDER BY x.seq LIMIT 1 OFFSET $2")
/* A restore came after this leaf, and may have lost the erasure. */
QUERY(audit_restored, "SELECT 1 FROM log_unopened WHERE first > $1 LIMIT 1")

/* --- the state of a witness (store_open_witness), daemon/witness.c ------------------------------------- */
WITNESS_QUERY(witness_self_put, "INSERT INTO witness_self (one, vkey, made) VALUES (1, $1, $2)")
WITNESS_QUERY(witness_self_get, "SELECT vkey, made FROM witness_self WHERE one = 1")
WITNESS_QUERY(witness_get, "SELECT size, root, note, time FROM witness WHERE origin = $1")
WITNESS_QUERY(witness_list, "SELECT origin, size, root, time FROM witness ORDER BY origin")
/* A row that is there is a conflict: the caller believed that there was none. */
WITNESS_QUERY(witness_first, "INSERT INTO witness (origin, hash, size, root, note, time) VALUES ($1, $2, $3, $4, $5, $6)")
/* Compare and set: changes no row when another size or root is stored by now. */
WITNESS_QUERY(witness_next, "UPDATE witness SET size = $4, root = $5, note = $6, time = $7 "
	"WHERE origin = $1 AND size = $2 AND root = $3")
WITNESS_QUERY(witness_note, "SELECT note FROM witness WHERE hash = $1")
#undef WITNESS_QUERY
#undef QUERY
