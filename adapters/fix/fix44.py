"""FIX 4.4 as data: session messages in full, and the application messages that trading and market data use.

Other types of FIX 4.4 exist too (``known_types``) and are not described: their header is checked, their body is not.
Tags, types, values: FIX 4.4 with errata of 2003-06-18, volumes 2 to 6.
"""

from __future__ import annotations

from adapters.fix.dictionary import Dictionary, parse_fields, parse_messages
from adapters.fix.fix44_fields import FIELDS

__all__ = ["FIX44"]

_COMPONENTS = {
    "Parties": "453(448 447 452 802(523 803))",
    "Instrument": """55 65 48 22 454(455 456) 460 461 167 762 200 541 224 225 239 226 227 228 255 543 470 471 472 240
        202 206 231 223 207 106 348 349 107 350 351 691 667 875 876 864(865 866 867 868) 873 874""",
    "Underlyings": "711(311 312 309 305 310 313 318)",
    "Legs": "555(600 602 603 608 609 610 623 624)",
    "Financing": "913 914 915 918 788 916 917 919 898",
    "Stipulations": "232(233 234)",
    "OrderQty": "38 152 516 468 469",
    "Benchmark": "218 220 221 222 662 663 699 761",
    "Yield": "235 236 701 696 697 698",
    "Commission": "12 13 479 497",
    "Peg": "211 835 836 837 838 840",
    "Discretion": "388 389 841 842 843 844 846",
    "Sessions": "386(336 625)",
    "Allocs": "78(79 661 736 467 80)",
    "Text": "58 354 355",
}

_HEADER = """
? Header: 8! 9! 35! 49! 56! 115 128 90 91 34! 50 142 57 143 116 144 129 145 43 97 52! 122 212 213 347 369
627(628 629 630)

? Trailer: 93 89 10!
"""

_MESSAGES = """
0 Heartbeat: 112

1 TestRequest: 112!

2 ResendRequest: 7! 16!

3 Reject: 45! 371 372 373 @Text

4 SequenceReset: 123 36!

5 Logout: @Text

A Logon: 98! 108! 95 96 141 789 383 384(372 385) 464 553 554

j BusinessMessageReject: 45 372! 379 380! @Text

D NewOrderSingle: 11! 526 583 @Parties 229 75 1 660 581 589 590 591 70 @Allocs 63 64 544 635 21 18 110 111 100
@Sessions 81 @Instrument @Financing @Underlyings 140 54! 114 60! @Stipulations 854 @OrderQty 40! 423 44 99 @Benchmark
@Yield 15 376 377 23 117 59 168 432 126 427 @Commission 528 529 582 121 120 775 @Text 193 192 640 77 203 210 @Peg
@Discretion 847 848 849 480 481 513 494

F OrderCancelRequest: 41! 37 11! 526 583 586 1 660 581 @Parties @Instrument @Financing @Underlyings 54! 60! @OrderQty
376 @Text

G OrderCancelReplaceRequest: 37 @Parties 229 75 41! 11! 526 583 586 1 660 581 589 590 591 70 @Allocs 63 64 544 635 21
18 110 111 100 @Sessions @Instrument @Financing @Underlyings 54! 60! 854 @OrderQty 40! 423 44 99 @Benchmark @Yield @Peg
@Discretion 847 848 849 376 377 15 59 168 432 126 427 @Commission 528 529 582 121 120 775 @Text 193 192 640 77 203 210
114 480 481 513 494

8 ExecutionReport: 37! 198 526 527 11 41 583 584 911 912 @Parties 229 382(375 337 437 438 655) 66 17! 19 150! 39! 636
103 378 1 660 581 589 590 591 63 64 544 635 @Instrument @Financing @Underlyings 54! @Stipulations 854 @OrderQty 40 423
44 99 @Peg @Discretion 839 845 847 848 849 15 376 377 59 168 432 126 18 528 529 582 32 31 30 336 625 151! 14! 6! 75
60 @Commission @Benchmark @Yield 381 157 158 159 120 119 118 136(137 138 139 891) 110 111 77 210 775 @Text 193 192
640 797 480 481 483 494 513 820 851 880 851 @Legs

9 OrderCancelReject: 37! 198 526 11! 583 41! 39! 636 586 1 660 581 229 75 60 434! 102 @Text

H OrderStatusRequest: 37 11! 526 583 @Parties 1 660 790 @Instrument @Financing @Underlyings 54!

AF OrderMassStatusRequest: 584! 585! @Parties 1 660 336 625 @Instrument 54

q OrderMassCancelRequest: 11! 526 530! 336 625 @Instrument 54 60! @Text

r OrderMassCancelReport: 11 526 37! 198 530! 531! 532 533 534(41 535 536) 336 625 @Instrument 54 60 @Text

V MarketDataRequest: 262! 263! 264! 265 266 286 546 547 267!(269) 146!(@Instrument) @Sessions 815 813

W MarketDataSnapshotFullRefresh: 262 @Instrument @Underlyings @Legs 291 292 387 268!(269 270 15 271 272 273 274 275
336 625 276 277 282 283 284 286 59 432 126 110 18 287 37 299 288 289 346 290 546 811 @Text) 813 815

X MarketDataIncrementalRefresh: 262 268!(279 285 269 278 280 @Instrument 291 292 270 15 271 272 273 274 275 336 625 276
277 282 283 284 286 59 432 126 110 18 287 37 299 288 289 346 290 546 811 451 @Text) 813 815

Y MarketDataRequestReject: 262! 281 816(817) @Text

c SecurityDefinitionRequest: 320! 321! @Instrument 871 15 @Text 336 625 @Legs 827 263

d SecurityDefinition: 320! 322! 323! @Instrument 888(871 872) @Underlyings 15 336 625 @Text @Legs 827 561 562

e SecurityStatusRequest: 324! @Instrument @Underlyings @Legs 15 263! 336 625

f SecurityStatus: 324 @Instrument @Underlyings @Legs 15 336 625 325 326 291 292 327 328 329 330 331 332 333 31 60 334
@Text

g TradingSessionStatusRequest: 335! 336 625 338 339 263!

h TradingSessionStatus: 335 336! 625 338 339 325 340! 567 341 342 343 344 345 387 @Text

x SecurityListRequest: 320! 559! @Instrument @Financing @Underlyings @Legs 15 @Text 336 625 263

y SecurityList: 320! 322! 560! 393 893 146(@Instrument 888(871 872) @Financing @Underlyings 15 @Stipulations @Legs
@Benchmark @Yield 561 562 336 625 827 @Text)
"""

_TYPES = """
0 1 2 3 4 5 6 7 8 9 A B C D E F G H J K L M N P Q R S T V W X Y Z a b c d e f g h i j k l m n o p q r s t u v w x y z
AA AB AC AD AE AF AG AH AI AJ AK AL AM AN AO AP AQ AR AS AT AU AV AW AX AY AZ BA BB BC BD BE BF BG BH
"""

_LAST_TAG = 956


def _fix44() -> Dictionary:
    sections = _HEADER.strip().split("\n\n")
    header, trailer = (parse_messages(section, _COMPONENTS)[b"?"] for section in sections)
    dictionary = Dictionary(
        fields=parse_fields(FIELDS),
        header=header,
        trailer=trailer,
        messages=parse_messages(_MESSAGES, _COMPONENTS),
        known_types=frozenset(name.encode() for name in _TYPES.split()),
        last_tag=_LAST_TAG,
    )
    dictionary.check()
    return dictionary


FIX44 = _fix44()
