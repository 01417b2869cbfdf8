# Digests, ciphers, keys, the speed test with children of its own, a TLS server and client.
set -eu
seq 100000 >f
openssl dgst -sha256 f; openssl dgst -sha3-512 -hmac key f | cut -c1-60; openssl dgst -blake2b512 f | cut -c1-60; openssl md5 f
for c in aes-256-cbc aes-128-ctr chacha20; do openssl enc -e -$c -pbkdf2 -pass pass:x -S 0011223344556677 -in f -out f.$c; openssl enc -d -$c -pbkdf2 -pass pass:x -S 0011223344556677 -in f.$c | cmp - f; sha256sum f.$c; done
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k 2>/dev/null; openssl pkey -in k -check -noout
openssl dgst -sha256 -sign k -out sig f; openssl dgst -sha256 -prverify k -signature sig f; openssl rand -hex 16 | wc -c
openssl ecparam -name prime256v1 -genkey -noout | openssl ec -check -noout 2>&1 | tail -n 1
openssl req -x509 -key k -out c -days 1 -subj /CN=localhost 2>/dev/null; openssl verify -CAfile c c
openssl s_server -accept "127.0.0.1:$PORT" -cert c -key k -rev -quiet >/dev/null 2>&1 & server=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; do sleep 0.05; done
(echo live; sleep 0.3) | openssl s_client -connect "127.0.0.1:$PORT" -CAfile c -verify_return_error -quiet -no_ign_eof 2>/dev/null
kill $server; wait $server 2>/dev/null || echo "server $?"
openssl speed -seconds 1 -bytes 1024 -evp sha256 2>/dev/null | awk '/^sha256/ {print $1, NF, ($2 + 0 > 0)}'
openssl speed -seconds 1 -bytes 8192 -multi 2 -evp aes-128-gcm 2>/dev/null | awk '/^evp|^AES/ {print NF, ($2 + 0 > 0)}'
openssl speed -seconds 1 rsa2048 2>/dev/null | grep -c '^rsa 2048'
