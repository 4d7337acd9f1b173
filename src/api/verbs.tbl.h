/* Verbs of the local API: name in C, name, words. In and out are JSON objects; members are listed here.
 * id: 32 hex; hash: 64 hex; times as in statements. Missing optional members may be left out.
 *
 * status                {} -> {party,name,exercise,locked,locked_why,log:{origin,size,note},register:{origin,size,time,state},
 *                       requests_open,outbox_waiting,undelivered:[{id,peer,since,call,state}],proofs_waiting,pages_waiting,version,rejections:[{peer,day,reason,count}],
 *                       witnesses:{clock_off_ms,missed_since,proved_size,quorum,waiting,waiting_proofs,witnesses:[{counts,error,last_ms,name,signed}]},
 *                       pending:{ours,overdue,theirs},
 *                       letters:{delivered,receipt_ms_p50,receipt_ms_p99}}  since the node started; delivery to durable receipt, rounded up
 * register-describe     {} -> {act,hash,fingerprint}        our own entry as a self-signed, logged act (JSON text)
 * register-pin          {act,hash} -> {party}               hash as compared by telephone
 * register-admit        {act} -> {hash}                     at the secretariat: takes a party's own entry into the register
 * register-root         {envelope} -> {version,fingerprint} at the secretariat: a new root, signed by its keys
 * register-publish      {} -> {entries,size}                at the secretariat: a new snapshot
 * register-refresh      {} -> {}                            fetch now, in the background
 * register-load         {bundle} -> {entries,problems}      a bundle that came by another way
 * register-show         {} -> {origin,size,time,fingerprint,parties:[party...],policies:[{party,policy,max_age_s,from,until("" while in effect),hash}]}
 * register-policy       {party,policy,max_age_s,from?} -> {hash,warnings}  at the secretariat: which witnesses a log needs; with pins alone this home's own decision
 * register-bundle       {} -> {bundle}
 * draft-new             {kind,to,case,legal_basis,request?,refs?:[{hash,id}],body,officer} -> {draft,hash,type,payload(base64),findings:[...],approvals:[role...]}
 * draft-check           {draft,step?} -> {findings,approvals_missing:[role...],approvals_there:[{approver,role}]}
 * draft-show            {draft} -> {kind,to,case,request,officer,hash,type,payload(base64),text}
 * draft-approve         {draft,envelope} -> {approvals_missing}
 * draft-send            {draft} -> {id,hash,request?}       safeguards at send, then signed, logged, queued
 * statement-send        {items:[{kind,payload(base64),approvals:[envelope(JSON text)...]}]} -> {results:[{ok,hash,reason,detail}],waiting}
 *                       at most 32 that another system of the authority prepared: the checks of draft-send, one by one
 * draft-drop            {draft} -> {}
 * draft-list            {} -> {drafts:[{draft,kind,to,case,officer,hash,created}]}
 * request-list          {open?:bool} -> {requests:[{id,kind,peer,case,asked,state,words,created,updated,...}]}
 * request-show          {id} -> {id,kind,peer,case,asked,state,words,hash,text,hold_until,order_expires,acknowledged_by,acknowledged_at,erased,
 *                       proof_pending,proof_due("" when none is), preservation,delivery:{state,since,call},grounds:[{code,words,clause,needs,certainty}],
 *                       next:[{event,command("" when it is not ours to do),why}],moves:[{from,event,to,why,time,hash}],findings:[...],
 *                       statements:[{hash,id,kind,from,to,time,logged,receipt,proof,body?(answer, order, acknowledgement)}],
 *                       pages:[{officer,sent,ended,exit_status}],exhibits:[{...}],acts... }
 * statement-show        {hash} -> {act(JSON text),counterproof(JSON text or ""),text}
 * statement-proof       {hash} -> {proof,leaf}              tlog-proof text of our log, its extra line says what it is of
 * letter-export         {hash} -> {letter(base64)}
 * letter-import         {letter(base64)} -> {receipt(JSON text),outcome,reason}
 * receipt-import        {receipt(JSON text)} -> {outcome}   a receipt that came by another carrier
 * exhibit-list          {request} -> {exhibits:[{id,name,size,sha256,state,own,fetched,sealed_size}]}
 * exhibit-release-body  {exhibit} -> {body,refs,request,to,case,legal_basis}  what draft-new needs to hand it over
 * package-data          {request} -> {acts:[{act,counterproof}],exhibits:[{id,name,size,sha256,hash}],bundle,pins:[act...],checkpoints:[{party,note}]}
 * package-seal          {request,exhibit?,sha256,size,files} -> {hash}       custody statement "package" over a tag manifest
 * backup                {} -> {folder,deleted:[name...]}    comity.db under HOME/backup/; what is older than 30 days goes
 * key-backup            {to?:[age1...]} -> {file,deleted:[name...]}  keys.db, sealed, under HOME/backup/; what is older than 30 days goes
 * doctor                {} -> {ok,checks:[{name,ok,text}]}
 * log-audit             {leaf,statement,size?} -> {leaf,statement,done,size,real,null,erased,unknown,statements,findings,told:[{index,text}],
 *                       faults:[{index,text}],root?}       one portion: leaves against what they open to, then statements; root at `size`
 * history-draft         {officer,text} -> as complaint-draft                                   after comity log retire
 * complaint-draft       {hash,officer} -> {draft,hash,type,payload(base64),findings,approvals}   about an overdue proof or an unequal closing
 * log-recover           {without?:[party...]} -> {size,brought_back,acts,waiting_for,was_locked,without}  after a restore: leaves that were signed come back from the log files set aside
 */
VERB(status, "status", "how this node stands")
VERB(register_describe, "register-describe", "our own register entry, self-signed")
VERB(register_pin, "register-pin", "trust a party's own entry whose fingerprint was compared")
VERB(register_admit, "register-admit", "take a party's entry into the register (secretariat)")
VERB(register_root, "register-root", "set the trust root (secretariat)")
VERB(register_policy, "register-policy", "which witnesses a party's log needs")
VERB(register_publish, "register-publish", "publish a snapshot (secretariat)")
VERB(register_refresh, "register-refresh", "fetch the register now")
VERB(register_load, "register-load", "load a register bundle that came another way")
VERB(register_show, "register-show", "parties and contact points")
VERB(register_bundle, "register-bundle", "the bundle in use")
VERB(draft_new, "draft-new", "draft a statement and hear what is missing")
VERB(draft_check, "draft-check", "check a draft again")
VERB(draft_show, "draft-show", "what exactly would be signed")
VERB(draft_approve, "draft-approve", "add an approval")
VERB(draft_send, "draft-send", "sign, log and deliver")
VERB(statement_send, "statement-send", "check, sign, log and deliver many that are approved")
VERB(draft_drop, "draft-drop", "drop a draft")
VERB(draft_list, "draft-list", "drafts")
VERB(request_list, "request-list", "requests, ours and theirs")
VERB(request_show, "request-show", "one request with all that happened")
VERB(statement_show, "statement-show", "one statement with proofs")
VERB(statement_proof, "statement-proof", "a proof file of our log")
VERB(letter_export, "letter-export", "a sealed letter for another carrier")
VERB(letter_import, "letter-import", "a letter that came by another carrier")
VERB(receipt_import, "receipt-import", "a receipt that came by another carrier")
VERB(exhibit_list, "exhibit-list", "exhibits of a request")
VERB(exhibit_release_body, "exhibit-release-body", "what handing over an exhibit would say")
VERB(package_data, "package-data", "everything a package needs")
VERB(package_seal, "package-seal", "sign a package's tag manifest")
VERB(backup, "backup", "copy the store while running")
VERB(key_backup, "key-backup", "copy the key store, sealed")
VERB(doctor, "doctor", "audit this home")
VERB(log_audit, "log-audit", "a portion of the log against what its leaves open to")
VERB(history_draft, "history-draft", "draft the statement that a log of ours ended")
VERB(complaint_draft, "complaint-draft", "draft a complaint about what a peer signed and did not keep")
VERB(log_recover, "log-recover", "unlock signing after a restore")
#undef VERB
