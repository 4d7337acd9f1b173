/* For tests and fuzz harnesses: a good body of every kind, and the statement around it, between fictional
 * parties. A test changes one member and nothing else. */
#ifndef COMITY_STATEMENT_TEST_SAMPLES_H
#define COMITY_STATEMENT_TEST_SAMPLES_H

#include "base/json.h"
#include "base/limits.h"
#include "statement/statement.h"

#define SAMPLE_HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SAMPLE_HASH_2 "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SAMPLE_ID "000102030405060708090a0b0c0d0e0f"
#define SAMPLE_TIME "2026-11-23T02:10:00.000Z"
#define SAMPLE_NOW INT64_C(1795399800000) /* the same */

#define SAMPLE_REQUEST                                                                                          \
	"\"answer_by\":\"\",\"callback\":\"+00 1 555 0101\",\"confidential\":true,"                             \
	"\"confidential_until\":\"2027-02-01T00:00:00.000Z\",\"confidential_why\":\"the suspect could delete\"," \
	"\"data\":[{\"account\":\"mail@host.example\",\"category\":\"traffic\",\"description\":\"logins\","     \
	"\"from\":\"2026-11-01T00:00:00.000Z\",\"relation\":\"used to spread the program\","                    \
	"\"timezone\":\"UTC\",\"until\":\"2026-11-20T00:00:00.000Z\"}],"                                        \
	"\"facts\":\"A hospital's systems were encrypted.\","                                                   \
	"\"offence\":{\"code\":\"UNCC-10\",\"elements\":[\"intent\",\"without_right\","                         \
	"\"serious_hindering\",\"by_data\"],\"law\":\"Penal Code 210\","                                        \
	"\"max_penalty_years\":6,\"purpose\":\"\",\"research\":\"no\",\"title\":\"\"},"                         \
	"\"officer\":\"Ada Quill\",\"requesting_authority\":{\"contact\":\"+00 1 555 0100\","                   \
	"\"functions\":\"prosecution\",\"name\":\"Arcadia Prosecutor\"},"                                       \
	"\"rights\":{\"flags\":[],\"note\":\"none is touched\"}"

static const struct {
	const char *kind, *body;
} samples[] = {
	{ "preservation-request",
	  "{" SAMPLE_REQUEST ",\"custodian\":\"Host Ltd\",\"custodian_unknown_why\":\"\",\"earlier\":\"\","
	  "\"intended_mla_date\":\"2026-12-15T00:00:00.000Z\",\"intends_mla\":true,\"judicial_authorisation\":\"\","
	  "\"necessity\":\"logs are kept for ten days\",\"status\":\"new\",\"urgency_why\":\"they run out\"}" },
	{ "stored-data-request",
	  "{" SAMPLE_REQUEST ",\"answer_by_why\":\"\",\"authorised_by\":\"Court of Arcadia\",\"domestic_basis\":\"\","
	  "\"expedited\":true,\"expedited_why\":\"vulnerable\",\"help_wanted\":\"disclosure\",\"preservation\":\"" SAMPLE_ID
	  "\",\"proportionality\":\"one account, three weeks\",\"purpose\":\"trial\"}" },
	{ "acknowledgement", "{\"note\":\"\",\"officer\":\"Omar Reed\",\"request\":\"" SAMPLE_ID "\"}" },
	{ "answer",
	  "{\"conditions\":[{\"clause\":\"40(19)\",\"kind\":\"use\",\"text\":\"this case only\"}],\"consulted\":false,"
	  "\"consultation\":\"\",\"ground\":\"\",\"hold_until\":\"2027-02-15T00:00:00.000Z\",\"instrument\":\"\","
	  "\"outcome\":\"accepted-with-conditions\",\"reasons\":\"\",\"request\":\"" SAMPLE_ID "\",\"review_date\":\"\"}" },
	{ "order",
	  "{\"authorising_body\":\"Court of Ruritania\",\"body_kind\":\"court\","
	  "\"duration_until\":\"2027-01-20T00:00:00.000Z\",\"expires\":\"2027-01-20T00:00:00.000Z\","
	  "\"grounds\":\"reasonable belief\",\"instrument\":\"Procedure Act 12\",\"measure\":\"preserve\","
	  "\"previous\":\"\",\"proportionality\":\"one account\",\"remedy\":\"appeal\",\"request\":\"" SAMPLE_ID
	  "\",\"scope\":\"logins of three weeks\"}" },
	{ "exhibit",
	  "{\"conditions\":[{\"clause\":\"40(19)\",\"kind\":\"use\",\"text\":\"this case only\"}],"
	  "\"custody\":[\"" SAMPLE_HASH "\"],\"exhibit\":\"" SAMPLE_ID "\",\"media_type\":\"text/csv\","
	  "\"name\":\"logins.csv\",\"order\":\"" SAMPLE_HASH "\",\"personal_data\":true,\"request\":\"" SAMPLE_ID
	  "\",\"sealed_sha256\":\"" SAMPLE_HASH "\",\"sealed_size\":700,\"sha256\":\"" SAMPLE_HASH "\",\"size\":500}" },
	{ "custody",
	  "{\"act\":\"acquire\",\"actor\":\"Cora Hale\",\"exhibit\":\"" SAMPLE_ID "\",\"object\":{\"name\":\"logins.csv\","
	  "\"sha256\":\"" SAMPLE_HASH "\",\"size\":500},\"prev\":\"\",\"reason\":\"order\",\"result\":\"ok\",\"seq\":1,"
	  "\"tool\":{\"name\":\"comity\",\"version\":\"0.1.0\"},\"when\":\"" SAMPLE_TIME "\",\"where\":\"laboratory\"}" },
	{ "confirmation",
	  "{\"exhibit\":\"" SAMPLE_ID "\",\"request\":\"" SAMPLE_ID "\",\"result\":\"verified\",\"sha256\":\"" SAMPLE_HASH
	  "\",\"text\":\"\"}" },
	{ "erasure",
	  "{\"basis_text\":\"retention is over\",\"keys_gone\":\"2026-11-24T00:00:00.000Z\",\"last_backup_dies\":\"2026-12-24\","
	  "\"order\":\"\",\"request\":\"" SAMPLE_ID "\",\"statements\":9}" },
	{ "page", "{\"attempt\":1,\"officer\":\"Omar Reed\",\"request\":\"" SAMPLE_ID "\",\"text\":\"called\"}" },
	{ "receipt",
	  "{\"id\":\"" SAMPLE_ID "\",\"leaf\":\"" SAMPLE_HASH "\",\"letter\":\"" SAMPLE_HASH "\",\"other_channel\":\"\","
	  "\"outcome\":\"received\",\"pair_head\":\"" SAMPLE_HASH "\",\"pair_n\":1,\"proof_due\":\"" SAMPLE_TIME "\",\"reason\":\"\",\"statement\":\"" SAMPLE_HASH
	  "\",\"tag\":\"" SAMPLE_HASH "\",\"text\":\"\"}" },
	{ "register-root",
	  "{\"expires\":\"2028-11-23T02:10:00.000Z\",\"keys\":[\"" SAMPLE_HASH "\",\"" SAMPLE_HASH_2
	  "\"],\"log\":\"log.xs.example+1+A\",\"origin\":\"log.xs.example\",\"register_key\":\"" SAMPLE_HASH
	  "\",\"threshold\":2,\"version\":1}" },
	{ "register-entry",
	  "{\"approvers\":[{\"key\":\"" SAMPLE_HASH "\",\"name\":\"Rana Vale\",\"roles\":[\"rights-reviewer\"]}],"
	  "\"authority\":\"central authority\",\"callback\":\"\",\"carries_out\":\"42 44\",\"code\":\"XA\","
	  "\"contact_name\":\"Duty desk\",\"endpoint\":\"https://peer.example\",\"fictional\":true,"
	  "\"in_force_from\":\"\",\"keys\":[{\"compromised\":\"\",\"from\":\"" SAMPLE_TIME "\",\"key\":\"" SAMPLE_HASH
	  "\",\"until\":\"\"}],\"languages\":\"en\",\"leaves_per_slot\":8,\"log\":\"log.xa.example+1+A\","
	  "\"name\":\"Arcadia\",\"phone\":\"+00 1 555 0100\",\"public_endpoint\":\"\",\"reservation_42_5\":false,"
	  "\"retired\":[{\"at\":\"" SAMPLE_TIME "\",\"log\":\"old.xa.example+1+A\",\"root\":\"" SAMPLE_HASH "\",\"size\":9}],"
	  "\"seal\":\"age1x\",\"slot_ms\":30000,\"timezone\":\"Etc/UTC\",\"tls\":\"" SAMPLE_HASH "\","
	  "\"witness\":\"log.xa.example/witness+1+A\",\"witness_url\":\"https://www.example\"}" },
	{ "register-snapshot",
	  "{\"entries\":[\"" SAMPLE_HASH "\"],\"origin\":\"log.xs.example\",\"policies\":[\"" SAMPLE_HASH_2 "\"],\"root\":\""
	  SAMPLE_HASH "\",\"size\":3,\"time\":\"" SAMPLE_TIME "\"}" },
	{ "register-policy",
	  "{\"from\":\"" SAMPLE_TIME "\",\"max_age_s\":600,\"party\":\"XA\",\"policy\":\"quorum none\\n\"}" },
	{ "closing",
	  "{\"peer\":\"XR\",\"period\":\"2026-Q4\",\"received\":{\"head\":\"" SAMPLE_HASH "\",\"n\":4},\"sent\":{\"head\":\"" SAMPLE_HASH_2
	  "\",\"n\":7}}" },
	{ "overdue-notice",
	  "{\"due\":\"" SAMPLE_TIME "\",\"leaf\":\"" SAMPLE_HASH "\",\"receipt\":\"" SAMPLE_HASH "\",\"statement\":\"" SAMPLE_HASH
	  "\",\"tag\":\"" SAMPLE_HASH "\"}" },
	{ "complaint",
	  "{\"closing\":\"\",\"due\":\"" SAMPLE_TIME "\",\"head\":\"\",\"leaf\":\"" SAMPLE_HASH "\",\"n\":3,\"party\":\"XR\","
	  "\"receipt\":\"{}\",\"tag\":\"" SAMPLE_HASH "\",\"what\":\"overdue-proof\"}" },
	{ "history-lost",
	  "{\"at\":\"" SAMPLE_TIME "\",\"log\":\"comity/XA+1+A\",\"origin\":\"comity/XA\",\"root\":\"" SAMPLE_HASH
	  "\",\"size\":40,\"successor\":\"comity/XA/2\",\"text\":\"the disk burnt\"}" },
	/* exchange/parameters.c, exchange/openings.c */
	{ "log-parameters",
	  "{\"classes\":[{\"class\":\"null\",\"embargo_quarters\":1,\"words\":\"nothing\"}],\"leaf_schema\":1,"
	  "\"leaves_per_slot\":8,\"log\":\"log.xa.example\",\"slot_ms\":30000,\"start_week\":\"2026-W48\",\"version\":1}" },
	{ "class-openings",
	  "{\"digest\":\"" SAMPLE_HASH "\",\"first\":240,\"leaves\":1000,\"log\":\"log.xa.example\",\"lost\":2,"
	  "\"period\":\"2026-Q4\",\"withheld\":3}" },
	/* exchange/rejections.c */
	{ "rejection",
	  "{\"from\":\"XR\",\"letter\":\"" SAMPLE_HASH "\",\"reason\":\"bad-approval\",\"statement\":\"" SAMPLE_HASH_2 "\"}" },
	{ "rejections", "{\"day\":\"2026-11-24\",\"peer\":\"XR\",\"reasons\":[{\"count\":7,\"reason\":\"wrong-party\"}]}" },
};
#define SAMPLE_COUNT (sizeof(samples) / sizeof(samples[0]))

/* A new reference; aborts on a kind without sample. */
static inline json_t *sample_body(const char *kind)
{
	json_t *v = NULL;

	for (size_t i = 0; i < SAMPLE_COUNT; i++)
		if (strcmp(samples[i].kind, kind) == 0)
			v = json_loads(samples[i].body, JSON_REJECT_DUPLICATES, NULL);
	if (v == NULL)
		abort();
	return v;
}

/* The frame around a body (taken), from XA to where the kind goes. */
static inline json_t *sample_frame(const char *kind, json_t *body)
{
	const struct kind *k = kind_find(bytes_of(kind));
	json_t *v = json_object(), *reg = json_object();

	json_put_text(reg, "origin", "");
	json_put_int(reg, "size", 0);
	json_put_text(reg, "time", SAMPLE_TIME);
	json_put_text(v, "authority", "central authority");
	json_put(v, "body", body);
	json_put_text(v, "case", "XA-2026-17");
	json_put_bool(v, "exercise", false);
	json_put_text(v, "from", "XA");
	json_put_text(v, "id", SAMPLE_ID);
	json_put_text(v, "kind", kind);
	json_put_text(v, "legal_basis", "UNCC");
	json_put(v, "refs", json_array());
	json_put(v, "register", reg);
	json_put_text(v, "time", SAMPLE_TIME);
	json_put_text(v, "to", k == NULL || k->to == TO_PEER ? "XR" : k->to == TO_SELF ? "XA" : "*");
	json_put_int(v, "v", 1);
	json_put_text(v, "via", "comity");
	return v;
}

/* Parses a frame (taken). */
static inline bool sample_parse(json_t *frame, struct statement **ret, struct err *e)
{
	const struct kind *k = kind_find(json_bytes(frame, "kind"));
	AUTO_BUF payload = { 0 };
	bool ok;

	buf_init(&payload, STATEMENT_BYTES_MAX * 2);
	ok = json_write_canonical(frame, &payload, e) &&
	     statement_parse(k == NULL ? bytes_of("") : statement_type(k), buf_bytes(&payload), ret, e);
	json_decref(frame);
	return ok;
}

#endif
