package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"sort"
	"strings"
)

// open verifies and opens what comes to the callback URL: the echostr of a GET, the Encrypt of a POST.
func open(token, aesKey, receiver string, query url.Values, sealed string) (string, error) {
	signed := []string{token, query.Get("timestamp"), query.Get("nonce"), sealed}
	sort.Strings(signed)
	expected := fmt.Sprintf("%x", sha1.Sum([]byte(strings.Join(signed, ""))))
	if subtle.ConstantTimeCompare([]byte(expected), []byte(query.Get("msg_signature"))) != 1 {
		return "", errors.New("signature")
	}
	key, _ := base64.StdEncoding.DecodeString(aesKey + "=")
	block, err := aes.NewCipher(key)
	plain, _ := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(plain) < 32 || len(plain)%32 != 0 {
		return "", errors.New("wrong key, or cut")
	}
	cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(plain, plain)
	length := int(binary.BigEndian.Uint32(plain[16:20])) // after 16 random bytes; then text and receiver
	end := len(plain) - int(plain[len(plain)-1])         // without the padding, which is to 32 bytes
	if 20+length > end || string(plain[20+length:end]) != receiver {
		return "", errors.New("for another receiver")
	}
	return string(plain[20 : 20+length]), nil
}
