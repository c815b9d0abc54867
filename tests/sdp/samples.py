"""
Descriptions in the shapes that telephones, gateways and browsers send.

Each is our own text; what the products contribute is the shape, which the comment
names. Lines end in CRLF unless the shape is another.
"""

from __future__ import annotations


def body(text: str) -> bytes:
    """
    Make a body of a text written with plain line feeds.
    """
    return text.strip("\n").replace("\n", "\r\n").encode() + b"\r\n"


# Asterisk: two formats, telephone events with their range, a=silenceSupp.
ASTERISK = body("""
v=0
o=root 4711 4711 IN IP4 192.0.2.10
s=session
c=IN IP4 192.0.2.10
t=0 0
m=audio 14002 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=silenceSupp:off - - - -
a=ptime:20
a=sendrecv
""")

# Bria: a=alt of a long dead draft, and a private address in o=.
BRIA_ALT = body("""
v=0
o=- 7 2 IN IP4 10.9.8.7
s=CounterPath Bria
c=IN IP4 198.51.100.7
t=0 0
m=audio 40100 RTP/AVP 0 8 101
a=alt:1 1 : q1W2e3R4 t5Y6u7I8 10.9.8.7 40100
a=fmtp:101 0-15
a=rtpmap:101 telephone-event/8000
a=sendrecv
""")

# Bria: blanks before some of the lines, no line end after the last.
BRIA_INDENTED = (
    b" v=0\r\n"
    b"o=- 7 2 IN IP4 10.9.8.7\r\n"
    b" s=CounterPath Bria\r\n"
    b"c=IN IP4 198.51.100.7\r\n"
    b"t=0 0\r\n"
    b"  m=audio 40100 RTP/AVP 0 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
    b" a=sendonly"
)

# Bria 4: "mid:1" without its a=; three kinds of media, b=AS and b=TIAS, rtcp-fb:*.
BRIA_STRAY = body("""
v=0
o=- 13064410000000000 3 IN IP4 192.0.2.33
s=Bria 4 release 4.0.0 stamp 70000
c=IN IP4 192.0.2.33
b=AS:2064
t=0 0
m=audio 50010 RTP/AVP 0
a=sendrecv
m=video 50012 RTP/AVP 96
b=TIAS:2000000
a=rtpmap:96 VP8/90000
a=sendrecv
a=rtcp-fb:* nack pli
m=text 50014 RTP/AVP 98
mid:1
a=rtpmap:98 T140/1000
a=sendrecv
a=ssrc:1234567890 cname:composed
""")

# Netgear: two rtpmap for one payload type.
NETGEAR = body("""
v=0
o=SIP-UA 1 1 IN IP4 192.0.2.44
s=-
c=IN IP4 192.0.2.44
t=0 0
m=audio 30000 RTP/AVP 18 101
a=rtpmap:18 G729/8000
a=rtpmap:101 telephone-event/8000
a=rtpmap:101 X-NSE/8000
a=fmtp:101 0-15
""")

# ICE with its credentials at session level, RTCP without bandwidth, an empty s=.
ICE_SESSION = body("""
v=0
o=jane 2890844000 2890842000 IN IP4 10.0.1.9
s=
c=IN IP4 203.0.113.3
t=0 0
a=ice-pwd:abcdefghijklmnopqrstuv
a=ice-ufrag:9uB6
m=audio 45664 RTP/AVP 0
b=RS:0
b=RR:0
a=rtpmap:0 PCMU/8000
a=candidate:1 1 UDP 2130706431 10.0.1.9 8998 typ host
a=candidate:2 1 UDP 1694498815 203.0.113.3 45664 typ srflx raddr 10.0.1.9 rport 8998
""")

# Cisco: no c= at session level but one in each section; a refused stream.
CISCO_MEDIA_CONNECTIONS = body("""
v=0
o=Cisco-SIPUA 6396 0 IN IP4 203.0.113.134
s=SIP Call
t=0 0
m=audio 19586 RTP/AVP 0
c=IN IP4 203.0.113.134
a=rtpmap:0 PCMU/8000
a=sendrecv
m=video 0 RTP/AVP 96
c=IN IP4 10.0.0.10
m=text 11000 RTP/AVP 98 100
c=IN IP4 203.0.113.135
a=rtpmap:98 t140/1000
a=rtpmap:100 red/1000
a=fmtp:100 98/98
""")

# A fax gateway: T.38 over UDPTL.
T38 = body("""
v=0
o=FaxGateway 806542000 806542001 IN IP4 192.0.2.110
s=FOIP Call
c=IN IP4 192.0.2.110
t=0 0
m=image 50594 udptl t38
a=T38FaxVersion:0
a=T38FaxRateManagement:transferredTCF
""")

# Microsoft Edge: a refused stream without any format; a=rtcp with 0.0.0.0.
EDGE = body("""
v=0
o=- 8028343530000000000 0 IN IP4 127.0.0.1
s=-
t=0 0
a=msid-semantic: WMS
a=group:BUNDLE audio
m=audio 7038 UDP/TLS/RTP/SAVPF 0
c=IN IP4 10.0.75.1
a=rtpmap:0 PCMU/8000
a=rtcp:9 IN IP4 0.0.0.0
a=setup:active
a=mid:audio
a=maxptime:60
a=recvonly
a=ice-ufrag:2Gt+
a=ice-pwd:pMjCdhDf2d0yabznesXuo0R/
a=rtcp-mux
m=video 0 UDP/TLS/RTP/SAVPF
c=IN IP4 0.0.0.0
a=inactive
""")

# The IPv6 of RFC 8866's examples: a multicast group, a phone number, real times.
IPV6 = body("""
v=0
o=mars1 971731711378790000 0 IN IP6 2001:db8::112e:144a:1e24
s=(Almost) live video feed
p=+1 713 555 0100
c=IN IP6 ff1e:03ad::7f2e:172a:1e24
t=3338481189 3370017201
m=audio 6000 RTP/AVP 96
a=rtpmap:96 G726-32/8000
m=video 6024 RTP/AVP 107
a=rtpmap:107 H263-1998/90000
""")

# Chrome: no default address yet, some thirty attributes, the same codec many times.
CHROME = body("""
v=0
o=- 118981680350000000 3 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=msid-semantic: WMS stream0
m=audio 9 UDP/TLS/RTP/SAVPF 111 103 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:RtdP
a=ice-pwd:t8wvz6VHPRii9lO1V7l7WMc
a=ice-options:trickle
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:103 ISAC/16000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:1676150000 cname:composed
m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 122 127
c=IN IP4 0.0.0.0
a=ice-ufrag:RtdP
a=ice-pwd:t8wvz6VHPRii9lO1V7l7WMc
a=mid:1
a=sendrecv
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:122 rtx/90000
a=fmtp:122 apt=102
a=rtpmap:127 H264/90000
a=fmtp:127 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
a=ssrc-group:FID 3966011000 1316862000
a=ssrc:3966011000 cname:composed
""")

# Firefox: everything in alphabetical order, so each fmtp before its rtpmap; its
# direction and fingerprint at session level.
FIREFOX = body("""
v=0
o=mozilla...THIS_IS_SDPARTA-84.0 7017023000000000000 0 IN IP4 0.0.0.0
s=-
t=0 0
a=sendrecv
a=fingerprint:sha-256 FF:EE:DD:CC:BB:AA:99:88:77:66:55:44:33:22:11:00
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=video 9 UDP/TLS/RTP/SAVPF 120 124 126
c=IN IP4 0.0.0.0
a=recvonly
a=extmap:6/recvonly http://example.com/rtp-hdrext/playout-delay
a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1
a=fmtp:120 max-fs=12288;max-fr=60
a=fmtp:124 apt=120
a=ice-pwd:6c1a776836afb21f
a=ice-ufrag:6b59155f
a=mid:0
a=rtcp-mux
a=rtpmap:120 VP8/90000
a=rtpmap:124 rtx/90000
a=rtpmap:126 H264/90000
a=setup:actpass
""")

# Pion: a data channel alone, with bare line feeds.
PION = b"""v=0
o=- 87119400 1595185172 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
m=application 9 DTLS/SCTP 5000
c=IN IP4 0.0.0.0
a=setup:active
a=mid:0
a=sendrecv
a=sctpmap:5000 webrtc-datachannel 1024
"""

# Mission-critical push-to-talk: an application stream with parameters; no c= at all.
MCPTT = body("""
v=0
o=root 5936658357000000000 0 IN IP4 0.0.0.0
s=-
t=0 0
m=audio 55316 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=label:1
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv
m=application 55317 udp MCPTT
a=fmtp:MCPTT mc_queueing;mc_priority=4
""")

# Titles in i=, in the wrong place within their sections; b=TIAS for one stream.
TITLES = body("""
v=0
o=root 5936658357000000000 0 IN IP4 192.0.2.50
s=-
i=A session with titles
t=0 0
m=audio 55316 RTP/AVP 0
c=IN IP4 192.0.2.50
a=rtpmap:0 PCMU/8000
a=label:1
i=speech
m=video 61682 UDP/TLS/RTP/SAVPF 96
c=IN IP4 192.0.2.51
b=TIAS:256000
a=rtpmap:96 VP8/90000
i=picture
""")

# MSRP: a text chat.
MSRP = body("""
v=0
o=root 3285 3285 IN IP4 192.0.2.60
s=session
c=IN IP4 192.0.2.60
t=0 0
m=message 57102 TCP/MSRP *
a=accept-types:text/plain text/x-msrp-heartbeat
a=path:msrp://192.0.2.60:57102/7a8b9c;tcp
""")

# Two ports in a row, formats in an order of preference.
PORT_COUNT = body("""
v=0
o=root 3285 3285 IN IP4 192.0.2.61
s=session
c=IN IP4 192.0.2.61
t=0 0
m=audio 12228/2 RTP/AVP 8 0 101
a=rtpmap:101 telephone-event/8000
""")

# RFC 4475's bodies without s= and t=.
NO_TIME = body("""
v=0
o=mhandley 29739 7272939 IN IP4 192.0.2.1
c=IN IP4 192.0.2.1
m=audio 49217 RTP/AVP 0 12
m=video 3227 RTP/AVP 31
a=rtpmap:31 LPC
""")

# A blank line after the end, blanks at the ends of lines, a name in Latin-1.
UNTIDY = (
    b"v=0\r\n"
    b"o=J\xfcrgen M 1 2 IN IP4 192.0.2.62\r\n"
    b"s=Gespr\xe4ch \r\n"
    b"c=IN IP4 192.0.2.62 \r\n"
    b"t=0 0 \r\n"
    b"m=audio 4000  RTP/AVP 0 8 \r\n"
    b"a=rtpmap: 8 PCMA/8000 \r\n"
    b"a=sendonly \r\n"
    b"\r\n"
)

# SRTP with keys in the description.
CRYPTO = body("""
v=0
o=- 1 1 IN IP4 192.0.2.63
s=-
c=IN IP4 192.0.2.63
t=0 0
m=audio 4000 RTP/SAVP 0
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|2^20
a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB
""")

#: All of them, by name.
SAMPLES: dict[str, bytes] = {
    name: value
    for name, value in list(globals().items())
    if name.isupper() and isinstance(value, bytes)
}
