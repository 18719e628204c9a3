// Judge request bodies as Ollama's server reads them: by its own types and Go's decoder.
//
// On stdin, per body: a letter for its type, its length in four bytes, the body. On stdout, per body: a line of JSON with
// the decoder's error (empty where it takes the body) and what it read, as a text.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"

	"github.com/ollama/ollama/api"
)

func request(kind byte) any {
	switch kind {
	case 'c':
		return &api.ChatRequest{}
	case 'g':
		return &api.GenerateRequest{}
	case 'e':
		return &api.EmbedRequest{}
	case 'm':
		return &api.EmbeddingRequest{}
	default:
		return &api.ShowRequest{}
	}
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	head := make([]byte, 5)
	for {
		if _, err := io.ReadFull(in, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:]))
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		value, said := request(head[0]), ""
		if err := json.NewDecoder(bytes.NewReader(body)).Decode(value); err != nil {
			said = err.Error()
		}
		read, _ := json.Marshal(value)
		line, _ := json.Marshal([]string{said, string(read)})
		out.Write(append(line, '\n'))
		out.Flush()
	}
}
