// SPDX-License-Identifier: Apache-2.0

package session

// MaxMessage is how many bytes of a message SealMessage takes.
const MaxMessage = 64 << 10

// messageLabel stands where a token has its access key id.
const messageLabel = "message"

// SealMessage returns the encoded form of an authorization message, which tells
// a client nothing until OpenMessage decodes it. No token is a message, nor the
// reverse. What exceeds MaxMessage is cut off.
func (r *Ring) SealMessage(message []byte) string {
	message = message[:min(len(message), MaxMessage)]
	buf := make([]byte, headSize, headSize+len(message)+16+tagSize)
	sealed, _ := r.seal(formatMessage, messageLabel, appendPacked(buf, message))
	return encoding.EncodeToString(sealed)
}

// OpenMessage returns the message that SealMessage encoded. The error is
// ErrInvalid.
func (r *Ring) OpenMessage(text string) ([]byte, error) {
	packed, _, ok := r.open(formatMessage, messageLabel, text)
	if !ok {
		return nil, ErrInvalid
	}
	message, err := unpack(&parser{rest: packed}, MaxMessage)
	if err != nil {
		return nil, ErrInvalid
	}
	return message, nil
}
