// Command interop verifies a ledger with Go's own transparency log packages, which know nothing of Gatehouse.
//
//	interop LEDGER VKEY
//	interop proof FILE VKEY
//
// Of a ledger it opens every published checkpoint as a signed note, replays all entries into a tree, and proves
// records and earlier trees from the tiles. Of a proof file it makes the entry from the opening and checks that it
// stands at its index under the signed checkpoint.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type tiles struct{ root string }

func (tiles) Height() int                      { return 8 }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(t.root, strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, index := range indexes {
		found = append(found, m[index])
	}
	return found, nil
}

func checkpoint(path string, verifier note.Verifier) tlog.Tree {
	data, err := os.ReadFile(path)
	check(err)
	return opened(data, verifier)
}

func opened(data []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(data, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	if lines[0] != verifier.Name() || len(root) != tlog.HashSize {
		log.Fatal("not a checkpoint of this log")
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

func entries(root string, size int64) [][]byte {
	var all [][]byte
	for first := int64(0); first < size; first += 256 {
		width := size - first
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: int(width)}
		data, err := os.ReadFile(filepath.Join(root, strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)))
		check(err)
		for n := int64(0); n < width; n++ {
			length := int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
		if len(data) != 0 {
			log.Fatal("a bundle is too long")
		}
	}
	return all
}

// proof checks a file of c2sp.org/tlog-proof whose extra data are the opening of docs/ledger.md.
func proof(path string, verifier note.Verifier) {
	data, err := os.ReadFile(path)
	check(err)
	head, signed, found := bytes.Cut(data, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		log.Fatal("not a proof")
	}
	tree := opened(signed, verifier)
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	check(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check(err)
	var steps tlog.RecordProof
	for _, line := range lines[3:] {
		step, err := base64.StdEncoding.DecodeString(line)
		check(err)
		var hash tlog.Hash
		if len(step) != len(hash) {
			log.Fatal("not a hash")
		}
		copy(hash[:], step)
		steps = append(steps, hash)
	}
	entry, fields := opening(extra)
	check(tlog.CheckRecord(steps, tree.N, tree.Hash, index, tlog.RecordHash(entry)))
	fmt.Printf("%d %d %x\n%s", index, tree.N, tree.Hash[:], fields)
}

func opening(data []byte) (entry []byte, fields string) {
	var given struct {
		Format  string   `json:"format"`
		Batch   string   `json:"batch"`
		Seq     uint32   `json:"seq"`
		Digests []string `json:"digests"`
		Shown   []string `json:"shown"`
	}
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	check(strict.Decode(&given))
	batch, err := hex.DecodeString(given.Batch)
	check(err)
	if given.Format != "gatehouse-opening/1" || len(batch) != 16 {
		log.Fatal("not an opening")
	}
	known := map[string]bool{}
	for _, digest := range given.Digests {
		known[digest] = true
	}
	for _, shown := range given.Shown {
		var field []json.RawMessage
		check(json.Unmarshal([]byte(shown), &field))
		if digest := sha256.Sum256([]byte(shown)); !known[hex.EncodeToString(digest[:])] || len(field) != 3 {
			log.Fatal("a field does not belong to the record")
		}
		fields += fmt.Sprintf("%s %s\n", field[1], field[2])
	}
	root := sha256.Sum256([]byte("[\"" + strings.Join(given.Digests, "\",\"") + "\"]"))
	entry = append([]byte{1}, batch...)
	entry = binary.BigEndian.AppendUint32(entry, given.Seq)
	return append(entry, root[:]...), fields
}

func main() {
	if os.Args[1] == "proof" {
		verifier, err := note.NewVerifier(os.Args[3])
		check(err)
		proof(os.Args[2], verifier)
		return
	}
	root := os.Args[1]
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	tree := checkpoint(filepath.Join(root, "checkpoint"), verifier)
	all := entries(root, tree.N)

	var stored memory
	for n, entry := range all {
		hashes, err := tlog.StoredHashes(int64(n), entry, stored)
		check(err)
		stored = append(stored, hashes...)
	}
	replayed, err := tlog.TreeHash(tree.N, stored)
	check(err)
	if !bytes.Equal(replayed[:], tree.Hash[:]) {
		log.Fatal("the entries do not make the root")
	}

	reader := tlog.TileHashReader(tree, tiles{root})
	step := tree.N/200 + 1
	for n := int64(0); n < tree.N; n += step {
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		check(err)
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, n, tlog.RecordHash(all[n])))
	}
	published, err := filepath.Glob(filepath.Join(root, "checkpoints", "*"))
	check(err)
	for _, path := range published {
		earlier := checkpoint(path, verifier)
		if earlier.N == 0 {
			continue
		}
		proof, err := tlog.ProveTree(tree.N, earlier.N, reader)
		check(err)
		check(tlog.CheckTree(proof, tree.N, tree.Hash, earlier.N, earlier.Hash))
	}
	fmt.Printf("%d %x\n", tree.N, tree.Hash[:])
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
