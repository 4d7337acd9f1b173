/* Every query: QUERY(name, sql). Parameters $1..$n, bound by their number; the same text serves SQLite
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
QUERY(leaf_queue_add, "INSERT INTO leaf_queue (hash, leaf, rank, peer) VALUES ($1, $2, $3, $4)")
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
	"acknowledged_at, created, updated FROM request WHERE id = $1")
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
QUERY(log_note_put, "INSERT INTO log_note (one, size, note) VALUES (1, $1, $2) "
	"ON CONFLICT (one) DO UPDATE SET size = excluded.size, note = excluded.note")
/* exchange/outbox.c */
QUERY(outbox_add, "INSERT INTO outbox (hash, id, peer, kind, queued, attempts, next, done, last_error, basis, time) "
	"VALUES ($1, $2, $3, $4, $5, 0, 0, 0, '', $6, $7)")
QUERY(outbox_due, "SELECT o.seq, o.hash FROM outbox o JOIN log_leaf l ON l.hash = o.hash "
	"WHERE o.peer = $1 AND o.done = 0 AND o.seq > $4 AND l.idx < $2 ORDER BY o.seq LIMIT $3")
QUERY(outbox_peer, "SELECT coalesce(max(next), 0), coalesce(max(attempts), 0) FROM outbox WHERE peer = $1 AND done = 0")
QUERY(outbox_hold, "UPDATE outbox SET next = $2, attempts = attempts + 1, last_error = $3 WHERE seq = $1 AND done = 0")
QUERY(outbox_done, "UPDATE outbox SET done = $2, last_error = $3 WHERE hash = $1 AND done = 0")
QUERY(outbox_get, "SELECT seq, peer, queued, attempts, done, last_error FROM outbox WHERE hash = $1")
QUERY(outbox_class, "SELECT peer, kind, basis, time FROM outbox WHERE hash = $1")
QUERY(outbox_waiting, "SELECT o.id, o.peer, o.queued, o.last_error, o.kind FROM outbox o WHERE o.done = 0 ORDER BY o.seq LIMIT 100")
QUERY(outbox_count, "SELECT count(*) FROM outbox WHERE done = 0")
QUERY(receipt_add, "INSERT INTO receipt (hash, envelope, outcome, reason, time, proof_due, proof) VALUES ($1, $2, $3, $4, $5, $6, x'')")
QUERY(receipt_get, "SELECT envelope, outcome, reason, time, proof_due, proof FROM receipt WHERE hash = $1")
QUERY(receipt_proof, "UPDATE receipt SET proof = $2 WHERE hash = $1 AND length(proof) = 0")
QUERY(receipt_proofs_waiting, "SELECT count(*) FROM receipt WHERE outcome = 'received' AND length(proof) = 0")
QUERY(proof_out_add, "INSERT INTO proof_out (hash, peer, next, attempts, done) VALUES ($1, $2, 0, 0, 0)")
QUERY(proof_out_due, "SELECT p.seq, p.hash FROM proof_out p JOIN log_leaf l ON l.hash = p.hash "
	"WHERE p.peer = $1 AND p.done = 0 AND p.seq > $4 AND l.idx < $2 ORDER BY p.seq LIMIT $3")
QUERY(proof_out_peer, "SELECT coalesce(max(next), 0), coalesce(max(attempts), 0) FROM proof_out WHERE peer = $1 AND done = 0")
QUERY(proof_out_hold, "UPDATE proof_out SET next = $2, attempts = attempts + 1 WHERE seq = $1 AND done = 0")
QUERY(proof_out_done, "UPDATE proof_out SET done = $2 WHERE seq = $1 AND done = 0")
QUERY(proof_out_count, "SELECT count(*) FROM proof_out WHERE done = 0")
/* exchange/receive.c */
QUERY(receipt_given_get, "SELECT hash, envelope FROM receipt_given WHERE sender = $1 AND id = $2")
QUERY(receipt_given_add, "INSERT INTO receipt_given (sender, id, hash, envelope) VALUES ($1, $2, $3, $4)")
QUERY(reject_count_add, "INSERT INTO reject_count (peer, day, reason, count) VALUES ($1, $2, $3, 1) "
	"ON CONFLICT (peer, day, reason) DO UPDATE SET count = reject_count.count + 1")
QUERY(reject_count_list, "SELECT peer, day, reason, count FROM reject_count ORDER BY day DESC, peer LIMIT 100")
/* exchange/directory.c */
QUERY(cell_get, "SELECT value, time FROM cell WHERE name = $1")
QUERY(cell_put, "INSERT INTO cell (name, value, time) VALUES ($1, $2, $3) "
	"ON CONFLICT (name) DO UPDATE SET value = excluded.value, time = excluded.time")
QUERY(pin_put, "INSERT INTO pin (party, hash, act, time) VALUES ($1, $2, $3, $4) "
	"ON CONFLICT (party) DO UPDATE SET hash = excluded.hash, act = excluded.act, time = excluded.time")
QUERY(pin_list, "SELECT party, hash, act FROM pin ORDER BY party")
QUERY(entry_list, "SELECT hash FROM statement WHERE own = 1 AND kind = 'register-entry' ORDER BY seq")
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
#undef QUERY
