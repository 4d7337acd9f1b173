/* The safeguards: steps, kinds of statement, clause, severity, reason, function that says "satisfied", field,
 * and the sentence for when it is not. Kinds: REQUESTS, or names with spaces, or "*". COMPLETE rows ask the
 * kind's own check (statement/) and speak in its words. */
/* The statement itself */
SAFEGUARD(DRAFT | SEND | RECEIPT, "*", "", STOP, LIVE_IN_EXERCISE, exercise_is_marked, "exercise",
	  "this node is in an exercise: real requests go by the live node")
SAFEGUARD(DRAFT | SEND | RECEIPT, "*", "", STOP, EXERCISE_IN_LIVE, live_is_live, "exercise",
	  "this is an exercise, and the node is live: exercise traffic goes by a node in exercise")
SAFEGUARD(SEND | EXECUTION, "*", "42(3), 40(15)", STOP, MISSING_FIELD, COMPLETE, "",
	  "everything that the Convention and house policy want is there")
SAFEGUARD(RECEIPT, REQUESTS, "42(3), 40(15)", REVIEW, MISSING_FIELD, COMPLETE, "",
	  "what is missing on receipt is asked for (40(16)); it is no ground of refusal of itself")
SAFEGUARD(DRAFT, REQUESTS, "65", STOP, NOT_IN_FORCE, is_in_force_if_known, "legal_basis",
	  "the Convention is not in force for both parties: choose another legal basis")
SAFEGUARD(SEND | RECEIPT, REQUESTS, "65", STOP, NOT_IN_FORCE, is_in_force, "legal_basis",
	  "the Convention is not in force for both parties: choose another legal basis")

/* Scope: art. 3, art. 35 */
SAFEGUARD(DRAFT | SEND, REQUESTS, "3", STOP, MISSING_FIELD, case_is_named, "case",
	  "name the criminal investigation or proceeding: the Convention serves specific ones, not general intelligence")
SAFEGUARD(RECEIPT, REQUESTS, "3", REVIEW, MISSING_FIELD, case_is_named, "case",
	  "no criminal investigation or proceeding is named: ask which one this serves")
SAFEGUARD(DRAFT | SEND | RECEIPT, REQUESTS, "35(1)", STOP, BELOW_THRESHOLD, offence_is_in_scope, "offence",
	  "a lesser offence: neither an offence of arts 7 to 19 nor a serious crime (2(h)), so this measure is not open")
SAFEGUARD(DRAFT | SEND | RECEIPT, REQUESTS, "35(1)(c)", REVIEW, RIGHTS_REVIEW, lesser_offence_has_a_basis, "offence",
	  "a lesser offence: the Convention would not allow it, so a reviewer must see that the other legal basis does")
SAFEGUARD(DRAFT | SEND | RECEIPT, REQUESTS, "35(1)(c)", REVIEW, RIGHTS_REVIEW, offence_is_of_convention, "offence",
	  "no Convention offence, only the penalty makes it serious: a reviewer must see that it punishes no exercise of rights")

/* Rights: arts 6, 11(2), 24 */
SAFEGUARD(DRAFT | SEND | RECEIPT, REQUESTS, "11(1)", STOP, PURPOSE_MISSING, purpose_is_stated, "offence.purpose",
	  "misuse of devices needs the purpose of committing an offence of arts 7 to 10; 11(2) excludes all else: state it")
SAFEGUARD(DRAFT | SEND | RECEIPT, REQUESTS, "11(2), 53(3)(e)", REVIEW, RIGHTS_REVIEW, research_is_excluded,
	  "offence.research", "this may be security research or authorised testing: a reviewer must decide first")
SAFEGUARD(DRAFT | SEND, REQUESTS, "6", STOP, RIGHTS_REVIEW, rights_are_screened, "rights",
	  "the rights screen is missing: say which rights may be touched, or in the note that none is")
SAFEGUARD(DRAFT | SEND, REQUESTS, "6", STOP, RIGHTS_REVIEW, flags_have_a_note, "rights.note",
	  "rights are flagged without a note: say how they are respected")
SAFEGUARD(DRAFT | SEND | RECEIPT, REQUESTS, "6(2)", REVIEW, RIGHTS_REVIEW, no_right_is_flagged, "rights.flags",
	  "the sender's screen says that rights may be touched: for you to decide before you accept")
SAFEGUARD(RECEIPT, REQUESTS, "24(4)", REVIEW, RIGHTS_REVIEW, never_without_review, "",
	  "screen this request for human rights here too, before anything is carried out: art. 24 also covers requests from abroad")
SAFEGUARD(DRAFT | SEND, "stored-data-request", "24(2)", STOP, SAFEGUARD, is_authorised, "authorised_by",
	  "say who authorised the request at home")
SAFEGUARD(DRAFT | SEND, "stored-data-request", "24(1)", STOP, SAFEGUARD, is_proportionate, "proportionality",
	  "say why the request is proportionate")

/* People: who signs */
SAFEGUARD(SEND, "*", "24", STOP, MISSING_APPROVAL, approvals_are_complete, "approvals",
	  "an approval is missing that this kind of statement needs")
SAFEGUARD(SEND, "*", "24", STOP, BAD_APPROVAL, approvals_are_of_this, "approvals",
	  "an approval is of another statement: what is approved is one text, not a case")
SAFEGUARD(SEND, "*", "6", STOP, BAD_APPROVAL, officer_does_not_approve, "officer",
	  "the case officer may neither review nor authorise the own request")
SAFEGUARD(SEND, "*", "6", STOP, BAD_APPROVAL, reviewer_is_another, "approvals",
	  "the rights reviewer and the authority must be different people")

/* Carrying out: arts 24, 25, 36, 40, 42 */
SAFEGUARD(EXECUTION, "answer order exhibit", "", STOP, NOT_FOUND, request_is_known, "request",
	  "this names another request than the one it is about")
SAFEGUARD(EXECUTION, "answer", "40(21)", STOP, NOT_A_GROUND, ground_applies, "ground",
	  "this ground does not apply to this kind of request, offence and legal basis")
SAFEGUARD(EXECUTION, "answer", "40(28)", STOP, SAFEGUARD, is_consulted, "consulted",
	  "before refusing or postponing, consult the requesting party whether conditions would do")
SAFEGUARD(EXECUTION, "answer", "42(8)", STOP, SAFEGUARD, hold_is_long_enough, "hold_until",
	  "preserved data are held for at least 60 days")
SAFEGUARD(EXECUTION, "answer", "42(8)", NOTE, MISSING_FIELD, hold_is_told, "hold_until",
	  "say until when the data are held, at least 60 days, so that the other party knows its time")
SAFEGUARD(EXECUTION, "order", "25(2)", STOP, SAFEGUARD, order_is_short_enough, "expires",
	  "a preservation order lasts at most 90 days; renew it with a further order")
SAFEGUARD(EXECUTION, "order", "24(2)", REVIEW, SAFEGUARD, order_is_independent, "body_kind",
	  "disclosure ordered by police or prosecution: a person must see that domestic law has the review that 24(2) means")
SAFEGUARD(EXECUTION, "exhibit", "24(2), 24(4)", STOP, NO_DISCLOSURE_ORDER, disclosure_is_ordered, "order",
	  "evidence leaves only on an order for disclosure, signed by the court or independent body, that is in force")
SAFEGUARD(EXECUTION, "exhibit", "36(1)(b), 40(19)", STOP, SAFEGUARD, personal_data_has_conditions, "conditions",
	  "personal data leave with conditions of use: purpose, retention, no onward transfer (36(3))")

/* Last: it looks at what the others found */
SAFEGUARD(SEND, REQUESTS, "6, 24", STOP, RIGHTS_REVIEW, review_is_noted, "approvals",
	  "a point needs review, and the rights reviewer's approval has no note: decide, and say why")
#undef SAFEGUARD
