// Command certificate verifies a release certificate of format 2, written from docs/release.md in another language.
//
//	certificate CERTIFICATE --policy POLICY --trust FOLDER [--agency-key VKEY]
//
// Notes and proofs are checked by Go's own transparency log packages (golang.org/x/mod/sumdb), which know nothing of
// Gatehouse. It exits 0 and names the release, or 1 with one line that says what does not bind to what. It is a second
// witness for the tests, and reads less than verifier/verify_release.py: no ML-DSA cosignature, and no name outside
// ASCII, for Go's standard library does not take marks off letters. What it cannot read it refuses.
package main

import (
	"bytes"
	"compress/zlib"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type object = map[string]any
type list = []any
type failure string

func fail(format string, given ...any) { panic(failure(fmt.Sprintf(format, given...))) }

func need(holds bool, format string, given ...any) {
	if !holds {
		fail(format, given...)
	}
}

// --- small things ----------------------------------------------------------------------------------------------------

func hash(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

func unbase64(text string) []byte {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	need(err == nil && base64.StdEncoding.EncodeToString(data) == text, "base64 is not in its one proper form")
	return data
}

func read(path ...string) []byte {
	data, err := os.ReadFile(filepath.Join(path...))
	need(err == nil, "%s: cannot be read", filepath.Base(path[len(path)-1]))
	return data
}

var hex32, hex64 = regexp.MustCompile(`^[0-9a-f]{32}$`), regexp.MustCompile(`^[0-9a-f]{64}$`)
var integer = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

// strict reads JSON in which no member stands twice and every number is whole.
func strict(data []byte, what string) any {
	need(utf8.Valid(data), "%s: is not UTF-8", what)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value := element(decoder, what)
	_, err := decoder.Token()
	need(err == io.EOF, "%s: is not JSON as it must be", what)
	return value
}

func token(decoder *json.Decoder, what string) json.Token {
	found, err := decoder.Token()
	need(err == nil, "%s: is not JSON as it must be", what)
	return found
}

func element(decoder *json.Decoder, what string) any {
	switch found := token(decoder, what).(type) {
	case json.Delim:
		if found == '[' {
			all := list{}
			for decoder.More() {
				all = append(all, element(decoder, what))
			}
			token(decoder, what)
			return all
		}
		all := object{}
		for decoder.More() {
			name := token(decoder, what).(string)
			_, twice := all[name]
			need(!twice, "%s: a member stands twice", what)
			all[name] = element(decoder, what)
		}
		token(decoder, what)
		return all
	case json.Number:
		need(integer.MatchString(string(found)), "%s: a number is not whole", what)
		return found
	default:
		return found
	}
}

// canonical writes JSON with its members sorted, no spaces, and no escape that is not needed.
func canonical(value any) []byte {
	var out bytes.Buffer
	write(&out, value)
	return out.Bytes()
}

func write(out *bytes.Buffer, value any) {
	switch found := value.(type) {
	case object:
		names := make([]string, 0, len(found))
		for name := range found {
			names = append(names, name)
		}
		sort.Strings(names)
		for at, name := range names {
			out.WriteString(map[bool]string{true: "{", false: ","}[at == 0])
			quote(out, name)
			out.WriteByte(':')
			write(out, found[name])
		}
		out.WriteString(map[bool]string{true: "{}", false: "}"}[len(names) == 0])
	case list:
		for at, each := range found {
			out.WriteString(map[bool]string{true: "[", false: ","}[at == 0])
			write(out, each)
		}
		out.WriteString(map[bool]string{true: "[]", false: "]"}[len(found) == 0])
	case string:
		quote(out, found)
	case json.Number:
		out.WriteString(string(found))
	case bool:
		out.WriteString(strconv.FormatBool(found))
	case nil:
		out.WriteString("null")
	default:
		fail("a value is of no kind that JSON has")
	}
}

func quote(out *bytes.Buffer, text string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}
	out.WriteByte('"')
	for _, letter := range text {
		if escape, known := short[letter]; known {
			out.WriteString(escape)
		} else if letter < 0x20 {
			fmt.Fprintf(out, `\u%04x`, letter)
		} else {
			out.WriteRune(letter)
		}
	}
	out.WriteByte('"')
}

func text(value any) string {
	found, is := value.(string)
	need(is, "a text is missing")
	return found
}

func whole(value any) int64 {
	found, is := value.(json.Number)
	need(is, "a number is missing")
	number, err := strconv.ParseInt(string(found), 10, 64)
	need(err == nil && number >= 0 && number < 1<<53, "a number is out of bounds")
	return number
}

func texts(value any) []string {
	var found []string
	for _, each := range value.(list) {
		found = append(found, text(each))
	}
	return found
}

func member(value any, names ...string) object {
	found, is := value.(object)
	need(is && len(found) == len(names), "a part of the certificate has other members than it must")
	for _, name := range names {
		_, there := found[name]
		need(there, "a part of the certificate lacks %s", name)
	}
	return found
}

func instant(value any, what string) time.Time {
	found, err := time.Parse("2006-01-02T15:04:05Z", text(value))
	need(err == nil, "%s: is no UTC instant", what)
	return found
}

// --- keys, notes, the policy -----------------------------------------------------------------------------------------

const ed, cosigns = 1, 4

type key struct {
	name   string
	kind   byte
	public []byte
	short  uint32
}

func parseKey(given string) key {
	parts := strings.SplitN(given, "+", 3)
	need(len(parts) == 3, "a key is malformed")
	body := unbase64(parts[2])
	need(len(body) == 33 && (body[0] == ed || body[0] == cosigns), "the key %s is of an unknown kind", parts[0])
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), body...))
	need(hex.EncodeToString(digest[:4]) == parts[1], "the key %s does not match its own hash", parts[0])
	return key{parts[0], body[0], body[1:], binary.BigEndian.Uint32(digest[:4])}
}

// Name, KeyHash and Verify let the note package open a checkpoint with a key.
func (k key) Name() string    { return k.name }
func (k key) KeyHash() uint32 { return k.short }
func (k key) Verify(message, signature []byte) bool {
	if k.kind == ed {
		return ed25519.Verify(k.public, message, signature)
	}
	if len(signature) != 72 {
		return false
	}
	at := binary.BigEndian.Uint64(signature)
	signed := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", at)), message...)
	return at > 0 && at <= 1<<53 && ed25519.Verify(k.public, signed, signature[8:])
}

type group struct {
	least   int
	members []string
}

type policy struct {
	logs      []key
	witnesses map[string]key
	groups    map[string]group
	quorum    string
}

func readPolicy(path string) *policy {
	p := &policy{witnesses: map[string]key{}, groups: map[string]group{}}
	for _, line := range strings.Split(string(read(path)), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		switch {
		case words[0] == "log" && len(words) >= 2:
			p.logs = append(p.logs, parseKey(words[1]))
		case words[0] == "witness" && len(words) >= 3:
			p.witnesses[words[1]] = parseKey(words[2])
		case words[0] == "group" && len(words) >= 4:
			least, err := strconv.Atoi(words[2])
			if words[2] == "any" || words[2] == "all" {
				least, err = map[string]int{"any": 1, "all": len(words) - 3}[words[2]], nil
			}
			need(err == nil && least >= 1 && least <= len(words)-3, "the policy has a malformed group")
			p.groups[words[1]] = group{least, words[3:]}
		case words[0] == "quorum" && len(words) == 2 && p.quorum == "":
			p.quorum = words[1]
		default:
			fail("the policy has a malformed line")
		}
	}
	need(p.quorum != "", "the policy names no quorum")
	return p
}

func (p *policy) met(name string, cosigned map[string]bool) bool {
	found, grouped := p.groups[name]
	if !grouped {
		return cosigned[name]
	}
	count := 0
	for _, each := range found.members {
		if p.met(each, cosigned) {
			count++
		}
	}
	return count >= found.least
}

type checkpoint struct {
	origin string
	tree   tlog.Tree
	seen   *time.Time // when a quorum had cosigned it
}

func (p *policy) accept(data string, what string) checkpoint {
	var known []note.Verifier
	for _, one := range p.logs {
		known = append(known, one)
	}
	for _, one := range p.witnesses {
		known = append(known, one)
	}
	opened, err := note.Open([]byte(data), note.VerifierList(known...))
	need(err == nil, "%s: no log of your policy signed this checkpoint, or a signature is wrong", what)
	lines := strings.Split(opened.Text, "\n")
	need(len(lines) >= 4, "%s: is no checkpoint", what)
	for _, line := range lines[:len(lines)-1] {
		need(line != "", "%s: is no checkpoint", what)
	}
	need(integer.MatchString(lines[1]), "%s: is no checkpoint", what)
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root := unbase64(lines[2])
	need(err == nil && size >= 0 && len(root) == tlog.HashSize, "%s: is no checkpoint", what)
	found := checkpoint{origin: lines[0], tree: tlog.Tree{N: size}}
	copy(found.tree.Hash[:], root)
	signed, times := false, map[string]uint64{}
	for _, one := range opened.Sigs {
		for _, log := range p.logs {
			signed = signed || (log.name == one.Name && log.short == one.Hash && log.name == lines[0])
		}
		for name, witness := range p.witnesses {
			if witness.name == one.Name && witness.short == one.Hash {
				times[name] = binary.BigEndian.Uint64(unbase64(one.Base64)[4:])
			}
		}
	}
	need(signed, "%s: no log of your policy signed this checkpoint", what)
	if p.quorum == "none" {
		return found
	}
	names := make([]string, 0, len(times))
	for name := range times {
		names = append(names, name)
	}
	sort.Slice(names, func(a, b int) bool { return times[names[a]] < times[names[b]] })
	cosigned := map[string]bool{}
	for _, name := range names {
		cosigned[name] = true
		if p.met(p.quorum, cosigned) {
			at := time.Unix(int64(times[name]), 0).UTC()
			found.seen = &at
			return found
		}
	}
	fail("%s: only %d of your witnesses cosigned; that is no quorum", what, len(cosigned))
	return found
}

// --- signed statements and whom you know -----------------------------------------------------------------------------

var signatureLine = regexp.MustCompile("^\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)\n?$")

func checkLine(data []byte, line any, keys []key, what string) {
	given, _ := line.(string)
	if found := signatureLine.FindStringSubmatch(given); found != nil {
		blob := unbase64(found[2])
		for _, one := range keys {
			if one.kind == ed && one.name == found[1] && len(blob) == 68 && binary.BigEndian.Uint32(blob) == one.short {
				need(one.Verify(data, blob[4:]), "%s: the signature of %s is wrong", what, one.name)
				return
			}
		}
	}
	fail("%s: is signed by no key that you know", what)
}

func statement(given any, keys []key, form, what string) object {
	said := member(given, "body", "signature")
	body, is := said["body"].(object)
	need(is && body["format"] == form, "%s: is no statement of the format %s", what, form)
	checkLine(canonical(body), said["signature"], keys, what)
	return body
}

type trust struct {
	site     string
	versions list
	officers map[string]object
	agencies list
}

func readTrust(folder, site string) *trust {
	custodian := []key{parseKey(strings.TrimSpace(string(read(folder, "custodian.vkey"))))}
	officers := statement(strict(read(folder, "officers.json"), "officers.json"), custodian, "gatehouse-officers/2", "officers.json")
	agencies := statement(strict(read(folder, "agencies.json"), "agencies.json"), custodian, "gatehouse-agencies/1", "agencies.json")
	t := &trust{site: site, versions: officers["versions"].(list), agencies: agencies["agencies"].(list)}
	t.officers = t.admitted(t.versions)
	return t
}

func (t *trust) agencyKeys(agency, day string) []key {
	var found []key
	for _, one := range t.agencies {
		for _, each := range one.(object)["keys"].(list) {
			span := each.(object)
			until, ends := span["until"].(string)
			if one.(object)["id"] == agency && text(span["from"]) <= day && (!ends || day < until) {
				found = append(found, parseKey(text(span["key"])))
			}
		}
	}
	return found
}

func folded(name string) string {
	var plain strings.Builder
	for _, letter := range strings.ToLower(name) {
		need(letter < 0x80, "a name outside ASCII is not read by this program")
		if (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') {
			plain.WriteRune(letter)
		} else {
			plain.WriteByte(' ')
		}
	}
	parts := strings.Fields(plain.String())
	sort.Strings(parts)
	if len(parts) == 0 {
		return name
	}
	return strings.Join(parts, " ")
}

func endorses(one object) bool {
	_, revoked := one["revoked_on"]
	_, lent := one["delegated_by"]
	return deciding(one) && !revoked && !lent
}

func deciding(one object) bool {
	return one["role"] == "disclosure_officer" || one["role"] == "disclosure_manager"
}

func sameHuman(one, other object) bool {
	for _, a := range []string{folded(text(one["id"])), folded(text(one["name"]))} {
		for _, b := range []string{folded(text(other["id"])), folded(text(other["name"]))} {
			if a == b {
				return true
			}
		}
	}
	return bytes.Equal(parseKey(text(one["key"])).public, parseKey(text(other["key"])).public)
}

// admitted gives the officers who count: the first two the custodian names; later ones, two officers before them sign.
// An entry that was taken back never counts again as it was.
func (t *trust) admitted(versions list) map[string]object {
	standing, begun, spent := map[string]object{}, false, list{}
	for _, version := range versions {
		before := standing
		standing = map[string]object{}
		for _, one := range before {
			if !contains(version.(object)["officers"].(list), one) {
				spent = append(spent, one)
			}
		}
		for _, each := range version.(object)["officers"].(list) {
			one := each.(object)
			vouched := !contains(spent, one) && t.endorsed(before, one, version.(object))
			if !begun || keepsWithin(before[text(one["id"])], one) || vouched {
				standing[text(one["id"])] = one
			}
		}
		voices := []string{}
		for id, one := range standing {
			if endorses(one) {
				voices = append(voices, id)
			}
		}
		begun = begun || humans(standing, voices) >= 2
	}
	return standing
}

func contains(entries list, one object) bool {
	for _, each := range entries {
		if reflect.DeepEqual(each, any(one)) {
			return true
		}
	}
	return false
}

func (t *trust) endorsed(before map[string]object, one object, version object) bool {
	signed := []string{}
	for id, voice := range before {
		own := false
		for other := range people(before, id) { // all entries of the voice's human speak for it
			entry, known := before[other]
			own = own || known && sameHuman(entry, one)
		}
		if !endorses(voice) || own {
			continue
		}
		asked := object{"format": "gatehouse-endorsement/1", "site": t.site, "officer": one, "endorser": id}
		for _, each := range version["endorsements"].(list) {
			if said, is := each.(object); is && reflect.DeepEqual(said["body"], any(asked)) && holds(func() {
				statement(each, []key{parseKey(text(voice["key"]))}, "gatehouse-endorsement/1", "an endorsement")
			}) {
				signed = append(signed, id)
			}
		}
	}
	return humans(before, signed) >= 2
}

func holds(check func()) (held bool) {
	defer func() {
		if _, failed := recover().(failure); failed {
			held = false
		}
	}()
	check()
	return true
}

func keepsWithin(before, now object) bool {
	if before == nil {
		return false
	}
	for _, name := range []string{"name", "role", "key", "delegated_by", "delegation"} {
		if before[name] != now[name] {
			return false
		}
	}
	for _, name := range []string{"until", "revoked_on"} {
		earlier, had := before[name].(string)
		later, has := now[name].(string)
		if had != has && !has || had && has && later > earlier {
			return false
		}
	}
	conflicts := map[string]bool{}
	for _, each := range strings0(now["conflicts"]) {
		conflicts[each] = true
	}
	for _, each := range strings0(before["conflicts"]) {
		if !conflicts[each] {
			return false
		}
	}
	return text(now["from"]) >= text(before["from"])
}

func strings0(value any) []string {
	if value == nil {
		return nil
	}
	return texts(value)
}

func (t *trust) officersAt(entered object) map[string]object {
	for at := len(t.versions) - 1; at >= 0; at-- {
		if reflect.DeepEqual(t.versions[at], any(entered)) {
			return t.admitted(t.versions[:at+1])
		}
	}
	return t.admitted(append(append(list{}, t.versions...), entered))
}

func (t *trust) whyNot(officer, day string, lent bool) string {
	one, known := t.officers[officer]
	if !known {
		return "is not on the custodian's roster"
	}
	if !deciding(one) || day < text(one["from"]) {
		return "has no authority on that day"
	}
	for _, name := range []string{"until", "revoked_on"} {
		if end, ends := one[name].(string); ends && day >= end {
			return "lost the authority before"
		}
	}
	if lender, acts := one["delegated_by"].(string); acts && (lent || t.whyNot(lender, day, true) != "") {
		return "acts for somebody without authority"
	}
	return ""
}

// people are the persons that one signature stands for; entries that share an id, a name or a key are one human.
func people(officers map[string]object, officer string) map[string]bool {
	ids := map[string]bool{officer: true}
	if lender, acts := officers[officer]["delegated_by"].(string); acts {
		ids[lender] = true
	}
	var known []object
	for id := range ids {
		if one, listed := officers[id]; listed {
			known = append(known, one)
		}
	}
	for id, one := range officers {
		for _, other := range known {
			if sameHuman(one, other) {
				ids[id] = true
			}
		}
	}
	return ids
}

// humans counts how many different ones some officers are.
func humans(officers map[string]object, named []string) int {
	sort.Strings(named)
	var found []map[string]bool
next:
	for _, officer := range named {
		one := people(officers, officer)
		for _, other := range found {
			if !apart(one, other) {
				continue next
			}
		}
		found = append(found, one)
	}
	return len(found)
}

// --- the certificate -------------------------------------------------------------------------------------------------

var fields = map[string][]string{
	"received": {"event", "docket", "agency", "submission", "manifest", "signature", "receipt", "requests", "batch",
		"first", "pack", "as_of"},
	"docket": {"event", "docket", "received", "files", "register"},
	"roster": {"event", "officers", "endorsements"},
	"pack in force": {"event", "pack", "version", "digest", "lock", "proof", "signatures", "counsel",
		"custodian"},
	"decision": {"event", "docket", "number", "action", "cases", "selection", "statement"},
	"release": {"event", "release", "docket", "entry", "agency", "officer", "recipient", "selection", "items", "persons",
		"records", "receipt_key", "terms", "released_at", "expires_on", "pack", "as_of", "decisions"},
}
var algorithms = object{"digest": "SHA-256", "tree": "RFC 6962 with SHA-256", "opening": "gatehouse-opening/1",
	"signature": "C2SP signed note", "sealing": "age-encryption.org/v1"}

type entry struct {
	index  int64
	bytes  []byte
	fields object
}

type certificate struct {
	said    object
	nodes   []tlog.Hash
	used    map[int64]bool
	newest  checkpoint
	history []checkpoint
}

func open(data []byte, p *policy) *certificate {
	said := member(strict(data, "certificate"), "format", "algorithms", "checkpoint", "earlier", "nodes", "manifest",
		"manifest_signature", "receipt", "received", "docket", "adopted", "roster", "decisions", "release", "records")
	need(bytes.Equal(canonical(said), data), "this is no certificate: it is not canonical JSON")
	need(said["format"] == "gatehouse-certificate/2" && reflect.DeepEqual(said["algorithms"], any(algorithms)),
		"the certificate is of another format, or names algorithms that are not read here")
	c := &certificate{said: said, used: map[int64]bool{}}
	packed, known := unbase64(text(said["nodes"])), map[tlog.Hash]bool{}
	need(len(packed)%tlog.HashSize == 0, "the nodes of the certificate are malformed")
	for at := 0; at < len(packed); at += tlog.HashSize {
		var node tlog.Hash
		copy(node[:], packed[at:])
		need(!known[node], "a node of the certificate is given twice")
		known[node] = true
		c.nodes = append(c.nodes, node)
	}
	c.newest = p.accept(text(said["checkpoint"]), "checkpoint")
	c.history = []checkpoint{c.newest}
	last := int64(0)
	for _, each := range said["earlier"].(list) {
		one := member(each, "checkpoint", "proof")
		earlier := p.accept(text(one["checkpoint"]), "earlier checkpoint")
		need(earlier.origin == c.newest.origin && last < earlier.tree.N && earlier.tree.N < c.newest.tree.N,
			"the earlier checkpoints are not of this ledger, each once, smallest first")
		path := tlog.TreeProof(c.path(one["proof"]))
		err := tlog.CheckTree(path, c.newest.tree.N, c.newest.tree.Hash, earlier.tree.N, earlier.tree.Hash)
		need(err == nil, "an earlier checkpoint is of another history than the newest")
		last = earlier.tree.N
		c.history = append(c.history, earlier)
	}
	return c
}

func (c *certificate) path(given any) []tlog.Hash {
	found := []tlog.Hash{}
	for _, each := range given.(list) {
		at := whole(each)
		need(at < int64(len(c.nodes)), "a proof names a node that is not there")
		c.used[at] = true
		found = append(found, c.nodes[at])
	}
	need(len(found) <= 63, "a proof is too long")
	return found
}

func (c *certificate) included(data []byte, index int64, proof any, what string) {
	need(index < c.newest.tree.N, "%s: the index is beyond the ledger", what)
	err := tlog.CheckRecord(c.path(proof), c.newest.tree.N, c.newest.tree.Hash, index, tlog.RecordHash(data))
	need(err == nil, "%s: the entry is not in the ledger under this checkpoint", what)
}

// opened makes an entry from its parts and checks that every field shown is one of its digests.
func opened(batch string, seq int64, digests, shown []string, what string) ([]byte, object) {
	need(hex32.MatchString(batch) && seq < 1<<32 && len(digests) > 0 && len(digests) <= 64, "%s: the opening is malformed", what)
	known := map[string]bool{}
	for _, digest := range digests {
		need(hex64.MatchString(digest), "%s: the opening is malformed", what)
		known[digest] = true
	}
	found := object{}
	for _, each := range shown {
		need(known[hash([]byte(each))], "%s: a field that is shown does not belong to the entry", what)
		parts, is := strict([]byte(each), what).(list)
		need(is && len(parts) == 3 && hex32.MatchString(text(parts[0])), "%s: a field that is shown is malformed", what)
		name := text(parts[1])
		_, twice := found[name]
		need(!twice, "%s: a field is shown twice", what)
		found[name] = parts[2]
	}
	id, _ := hex.DecodeString(batch)
	root := sha256.Sum256([]byte("[\"" + strings.Join(digests, "\",\"") + "\"]"))
	data := binary.BigEndian.AppendUint32(append([]byte{1}, id...), uint32(seq))
	return append(data, root[:]...), found
}

func (c *certificate) event(given any, kind string) entry {
	one := member(given, "index", "batch", "digests", "shown", "proof")
	digests := texts(one["digests"])
	data, found := opened(text(one["batch"]), 0, digests, texts(one["shown"]), kind)
	c.included(data, whole(one["index"]), one["proof"], kind)
	allowed := map[string]bool{}
	for _, name := range fields[kind] {
		_, there := found[name]
		need(there || kind == "release" && name == "persons", "the entry '%s' lacks %s", kind, name)
		allowed[name] = true
	}
	for name := range found {
		need(allowed[name], "the entry '%s' has another field than it must", kind)
	}
	need(len(digests) == len(fields[kind]), "the entry '%s' has other fields than it must", kind)
	need(found["event"] == kind, "the entry is none of the kind '%s'", kind)
	return entry{whole(one["index"]), data, found}
}

// bound refuses a stated time that does not lie between the witnesses' times around an entry.
func (c *certificate) bound(first, last time.Time, index int64, what string) {
	const skew, lag = 10 * time.Minute, 72 * time.Hour
	var before, after *time.Time
	for _, one := range c.history {
		switch {
		case one.seen == nil:
		case one.tree.N > index && (before == nil || one.seen.Before(*before)):
			before = one.seen
		case one.tree.N <= index && (after == nil || one.seen.After(*after)):
			after = one.seen
		}
	}
	need(before == nil || !first.After(before.Add(skew)) && !last.Before(before.Add(-lag)),
		"%s is dated %s, but witnesses first saw it by %s", what, first, before)
	need(after == nil || !last.Before(after.Add(-skew)),
		"%s is dated %s, but witnesses had not seen it at %s", what, first, after)
}

// --- what must bind to what ------------------------------------------------------------------------------------------

func (c *certificate) check(t *trust, agencyKey *key) string {
	received, docket := c.event(c.said["received"], "received"), c.event(c.said["docket"], "docket")
	release, roster := c.event(c.said["release"], "release"), c.event(c.said["roster"], "roster")
	var adopted []entry
	for _, each := range c.said["adopted"].(list) {
		adopted = append(adopted, c.event(each, "pack in force"))
	}
	manifest, receipt := c.submission(received, docket, t, agencyKey)
	law(received, release, adopted, text(manifest["basis"]))
	places := []int64{docket.index, roster.index}
	for _, one := range adopted {
		places = append(places, one.index)
	}
	c.released(received, docket, release, manifest, places)
	receivedAt, releasedAt := instant(receipt["received_at"], "receipt"), instant(release.fields["released_at"], "release")
	c.bound(receivedAt, receivedAt, received.index, "the receipt")
	day, err := time.Parse("2006-01-02", text(received.fields["as_of"]))
	need(err == nil, "the law of the determinations is of no day")
	c.bound(day, day.Add(24*time.Hour), received.index, "the law of the determinations")
	c.bound(releasedAt, releasedAt, release.index, "the release")
	asOf, expires := text(release.fields["as_of"]), text(release.fields["expires_on"])
	need(asOf == text(release.fields["released_at"])[:10] && expires >= asOf, "the release was judged as of another day than its own")
	d := &decisions{c, t, received, docket, release, manifest, receipt, receivedAt, releasedAt}
	approved, cleared := d.all(roster)
	c.records(received, release, approved, cleared)
	need(len(c.used) == len(c.nodes), "a node of the certificate is of no proof")
	return text(release.fields["release"])
}

func (c *certificate) submission(received, docket entry, t *trust, agencyKey *key) (object, object) {
	files := docket.fields["files"].(object)
	for _, one := range [][3]string{{"submission.json", "manifest", "manifest"},
		{"submission.json.sig", "manifest_signature", "signature"}, {"receipt.json", "receipt", "receipt"}} {
		digest := hash([]byte(text(c.said[one[1]])))
		need(received.fields[one[2]] == digest && files[one[0]] == digest, "%s is not the one that was received", one[0])
	}
	requests, first := whole(received.fields["requests"]), whole(received.fields["first"])
	need(first == received.index+1, "the receipt's entry does not stand directly before its determinations")
	need(docket.fields["docket"] == received.fields["docket"] && whole(docket.fields["received"]) == received.index,
		"the docket's entry is about another receipt")
	need(docket.index >= first+requests, "the docket's entry stands before its determinations")
	manifest := strict([]byte(text(c.said["manifest"])), "manifest").(object)
	receipt := strict([]byte(text(c.said["receipt"])), "receipt").(object)
	rows := int64(0)
	for _, table := range manifest["tables"].(list) {
		rows += whole(table.(object)["rows"])
	}
	need(manifest["agency"] == received.fields["agency"] && manifest["id"] == received.fields["submission"] && rows == requests,
		"the agency signed another submission, or another number of requests")
	refusal, said := receipt["refusal"]
	need(said && refusal == nil && receipt["digest"] == received.fields["manifest"] && whole(receipt["requests"]) == requests &&
		receipt["submission"] == received.fields["submission"], "the receipt is about another submission")
	known := t.agencyKeys(text(manifest["agency"]), text(manifest["signed_on"]))
	signed := []byte(text(c.said["manifest"]))
	checkLine(signed, c.said["manifest_signature"], known, "the submission")
	if agencyKey != nil {
		checkLine(signed, c.said["manifest_signature"], []key{*agencyKey}, "the submission")
	}
	return manifest, receipt
}

func law(received, release entry, adopted []entry, basis string) {
	needed := map[string]bool{text(received.fields["pack"]): true, text(release.fields["pack"]): true}
	digests, versions, before := map[string]bool{}, map[string]bool{}, false
	for _, one := range adopted {
		digest := text(one.fields["digest"])
		digests[digest], versions[text(one.fields["version"])] = true, true
		before = before || one.index < received.index && digest == received.fields["pack"]
		need(one.fields["pack"] == basis, "law of another basis than the request's was adopted")
	}
	need(len(adopted) == len(needed) && reflect.DeepEqual(digests, needed), "the law that was applied was not adopted, or another one is shown")
	need(before, "the law of the determinations was not adopted before them")
	need(len(versions) == len(adopted), "two contents were adopted under one version of the law")
}

func (c *certificate) released(received, docket, release entry, manifest object, places []int64) {
	said := release.fields
	need(said["docket"] == received.fields["docket"] && said["agency"] == received.fields["agency"] &&
		whole(said["entry"]) == docket.index, "the release's entry is about another docket")
	named := false
	for _, each := range manifest["officers"].(list) {
		one := each.(object)
		named = named || one["employee"] == true && one["attests_sole_use"] == true &&
			one["id"] == said["officer"] && one["recipient"] == said["recipient"]
	}
	need(named, "the agency did not name this officer with this key")
	given := c.said["decisions"].(list)
	listed := said["decisions"].(list)
	need(len(given) == len(listed), "the decisions are not those that the release's entry names")
	for at, each := range listed {
		index := whole(member(given[at], "statement", "selection", "entry")["entry"].(object)["index"])
		need(index == whole(each), "the decisions are not those that the release's entry names")
		places = append(places, index)
	}
	for _, place := range places {
		need(place < release.index, "the release's entry stands before something that it rests on")
	}
}

type cases map[int64]bool

func selection(given any) (cases, string) {
	reader, err := zlib.NewReader(bytes.NewReader(unbase64(text(given))))
	need(err == nil, "a selection is malformed")
	raw, err := io.ReadAll(io.LimitReader(reader, 1<<24))
	need(err == nil && (len(raw) == 0 || raw[len(raw)-1] != 0), "a selection is malformed")
	found := cases{}
	for at, each := range raw {
		for bit := 0; bit < 8; bit++ {
			if each>>bit&1 == 1 {
				found[int64(at*8+bit)] = true
			}
		}
	}
	return found, hash(raw)
}

type decisions struct {
	c                         *certificate
	t                         *trust
	received, docket, release entry
	manifest, receipt         object
	receivedAt, releasedAt    time.Time
}

func (d *decisions) all(roster entry) (approved, cleared cases) {
	stood := d.t.officersAt(object{"officers": roster.fields["officers"], "endorsements": roster.fields["endorsements"]})
	type approval struct {
		people map[string]bool
		cases  cases
	}
	var approvals []approval
	approved, cleared = cases{}, cases{}
	for _, each := range d.c.said["decisions"].(list) {
		one := each.(object)
		body := member(one["statement"], "body", "signature")["body"].(object)
		id, _ := body["officer"].(string)
		officer, known := d.t.officers[id]
		need(known, "a decision is by nobody on the custodian's roster")
		statement(one["statement"], []key{parseKey(text(officer["key"]))}, "gatehouse-decision/2", "the decision of "+id)
		chosen, digest := selection(one["selection"])
		entered := d.c.event(one["entry"], "decision")
		d.about(body, chosen, digest, entered)
		d.who(officer, body, stood)
		decidedAt := instant(body["decided_at"], "decision")
		d.c.bound(decidedAt, decidedAt, entered.index, "the decision of "+id)
		need(!decidedAt.Before(d.receivedAt.Add(-10*time.Minute)) && !decidedAt.After(d.releasedAt),
			"a decision was not made between receipt and release")
		if body["action"] == "approve" {
			approvals = append(approvals, approval{people(d.t.officers, id), chosen})
			continue
		}
		for at := range chosen {
			cleared[at] = true
		}
	}
	for at, one := range approvals {
		for _, other := range approvals[at+1:] {
			if apart(one.people, other.people) {
				for number := range one.cases {
					approved[number] = approved[number] || other.cases[number]
				}
			}
		}
	}
	return approved, cleared
}

func apart(one, other map[string]bool) bool {
	for each := range one {
		if other[each] {
			return false
		}
	}
	return true
}

func (d *decisions) who(officer, body object, stood map[string]object) {
	id := text(officer["id"])
	days := []string{text(body["decided_at"])[:10]}
	if body["action"] == "approve" {
		days = append(days, text(d.release.fields["as_of"]))
	}
	for _, day := range days {
		why := d.t.whyNot(id, day, false)
		need(why == "", "officer %s %s", id, why)
	}
	involved := map[string]bool{folded(text(d.manifest["signatory"].(object)["name"])): true}
	if by, is := d.receipt["received_by"].(string); is {
		involved[folded(by)] = true
	}
	for _, each := range d.manifest["officers"].(list) {
		involved[folded(text(each.(object)["id"]))], involved[folded(text(each.(object)["name"]))] = true, true
	}
	own := []string{id, text(officer["name"]), parseKey(text(officer["key"])).name}
	if lender, acts := officer["delegated_by"].(string); acts {
		own = append(own, lender)
	}
	for _, each := range own {
		need(!involved[folded(each)], "officer %s had a part in the submission", id)
	}
	for _, each := range d.t.agencies {
		if listed := each.(object); listed["id"] == d.received.fields["agency"] {
			for _, one := range listed["keys"].(list) {
				held := parseKey(text(one.(object)["key"])).public
				need(!bytes.Equal(held, parseKey(text(officer["key"])).public), "officer %s holds a key of the agency", id)
			}
		}
	}
	for _, agency := range strings0(officer["conflicts"]) {
		need(agency != d.received.fields["agency"], "officer %s has a conflict about the agency", id)
	}
	need(keepsWithin(stood[id], officer), "officer %s did not stand so on the ledger's roster", id)
}

func (d *decisions) about(body object, chosen cases, digest string, entered entry) {
	said, received := entered.fields, d.received.fields
	need(said["docket"] == received["docket"] && said["action"] == body["action"] && said["selection"] == digest &&
		whole(said["cases"]) == int64(len(chosen)) && said["statement"] == hash(canonical(body)), "a decision is not the one in the ledger")
	need((body["action"] == "approve" || body["action"] == "clear") && entered.index > d.docket.index,
		"a decision is no ground of a release, or stands before the docket that it is about")
	count := json.Number(strconv.Itoa(len(chosen)))
	need(body["docket"] == received["docket"] && reflect.DeepEqual(body["selection"], any(object{"cases": count, "sha256": digest})),
		"a decision is about another docket or other cases")
	need(body["determinations"] == d.docket.fields["files"].(object)["determinations.parquet"], "a decision is about other determinations")
	for at := range chosen {
		need(at < whole(received["requests"]), "a decision is about a row that was not received")
	}
	place := object{"index": json.Number(strconv.FormatInt(d.docket.index, 10)), "sha256": hash(d.docket.bytes)}
	need(reflect.DeepEqual(body["docket_entry"], any(place)) && body["batch"] == received["batch"] &&
		reflect.DeepEqual(body["law"], any(object{"pack_digest": received["pack"], "as_of": received["as_of"]})),
		"a decision is about another docket, or under other law")
	receives, mine := false, object{"officer": d.release.fields["officer"], "recipient": d.release.fields["recipient"]}
	for _, each := range body["recipients"].(list) {
		receives = receives || reflect.DeepEqual(each, any(mine))
	}
	need(receives, "a decision does not name this officer with this key")
	items := map[any]bool{}
	for _, each := range body["items"].(list) {
		items[text(each)] = true
	}
	for _, each := range texts(d.release.fields["items"]) {
		need(items[each], "a decision does not name every item")
	}
}

func (c *certificate) records(received, release entry, approved, cleared cases) {
	requests, first := whole(received.fields["requests"]), whole(received.fields["first"])
	named, items, raw, last := map[string]bool{}, map[string]bool{}, []byte{}, int64(-1)
	for _, each := range c.said["records"].(list) {
		one := member(each, "seq", "items", "digests", "shown", "proof")
		seq, digests := whole(one["seq"]), texts(one["digests"])
		need(seq < requests, "a record is of a row that was not received")
		need(seq > last, "the records do not stand each once in row order")
		last = seq
		what := fmt.Sprintf("row %d", seq)
		data, shown := opened(text(received.fields["batch"]), seq, digests, texts(one["shown"]), what)
		c.included(data, first+seq, one["proof"], what)
		member(shown, "request", "answer")
		need(len(digests) == 4, "%s does not show its request and answer", what)
		answer, request := shown["answer"].(object), text(shown["request"])
		need(answer["outcome"] == "cleared" || answer["outcome"] == "held" && cleared[seq], "%s was never cleared", what)
		need(answer["pack_digest"] == received.fields["pack"] && answer["as_of"] == received.fields["as_of"],
			"%s was decided under another pack or date", what)
		allowed := map[string]bool{}
		for _, item := range answer["items"].(list) {
			if name, is := item.(string); is && name == "last_known_address" {
				allowed[name] = true
			}
		}
		chosen := texts(one["items"])
		need(len(chosen) > 0, "%s names no item", what)
		for at, item := range chosen {
			need(allowed[item] && (at == 0 || chosen[at-1] < item), "%s names items that its determination does not allow", what)
			items[item] = true
		}
		need(!named[request], "two records are of one request")
		named[request] = true
		need(approved[seq], "%s lacks the approval of two different people", what)
		for int64(len(raw)) <= seq/8 {
			raw = append(raw, 0)
		}
		raw[seq/8] |= 1 << (seq % 8)
	}
	need(last >= 0, "the certificate has no record")
	stated := object{"cases": json.Number(strconv.Itoa(len(named))), "sha256": hash(raw)}
	need(reflect.DeepEqual(release.fields["selection"], any(stated)), "the records are not the cases that the release's entry names")
	listed := texts(release.fields["items"])
	need(len(listed) == len(items) && sort.StringsAreSorted(listed), "the records hold other items than the release's entry names")
	for _, item := range listed {
		need(items[item], "the records hold other items than the release's entry names")
	}
}

func main() {
	defer func() {
		switch said := recover().(type) {
		case nil:
		case failure:
			fmt.Fprintf(os.Stderr, "NOT VERIFIED. %s\n", string(said))
			os.Exit(1)
		case runtime.Error:
			fmt.Fprintln(os.Stderr, "NOT VERIFIED. A part of the certificate is missing or is of another kind than it must be")
			os.Exit(1)
		default:
			panic(said)
		}
	}()
	given := map[string]string{}
	for at := 2; at+1 < len(os.Args); at += 2 {
		given[os.Args[at]] = os.Args[at+1]
	}
	p := readPolicy(given["--policy"])
	var agencyKey *key
	if path := given["--agency-key"]; path != "" {
		one := parseKey(strings.TrimSpace(string(read(path))))
		agencyKey = &one
	}
	site := ""
	if len(p.logs) > 0 {
		site = p.logs[0].name
	}
	t := readTrust(given["--trust"], site)
	fmt.Printf("verified: release %s\n", open(read(os.Args[1]), p).check(t, agencyKey))
}
