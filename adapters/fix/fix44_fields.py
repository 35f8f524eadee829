"""The fields of FIX 4.4 that ``fix44`` uses: tag, name, type and, where they are enumerated, values."""

from __future__ import annotations

__all__ = ["FIELDS"]

FIELDS = """
1 Account STRING
6 AvgPx PRICE
7 BeginSeqNo SEQNUM
8 BeginString STRING
9 BodyLength LENGTH
10 CheckSum STRING
11 ClOrdID STRING
12 Commission AMT
13 CommType CHAR 1,2,3,4,5,6
14 CumQty QTY
15 Currency CURRENCY
16 EndSeqNo SEQNUM
17 ExecID STRING
18 ExecInst MULTIPLEVALUESTRING 0,1,2,3,4,5,6,7,8,9,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,a,b,c,d,e
19 ExecRefID STRING
21 HandlInst CHAR 1,2,3
22 SecurityIDSource STRING 1,2,3,4,5,6,7,8,9,A,B,C,D,E,F,G,H,I,J
23 IOIID STRING
30 LastMkt EXCHANGE
31 LastPx PRICE
32 LastQty QTY
34 MsgSeqNum SEQNUM
35 MsgType STRING
36 NewSeqNo SEQNUM
37 OrderID STRING
38 OrderQty QTY
39 OrdStatus CHAR 0,1,2,3,4,5,6,7,8,9,A,B,C,D,E
40 OrdType CHAR 1,2,3,4,6,7,8,9,D,E,G,I,J,K,L,M,P
41 OrigClOrdID STRING
43 PossDupFlag BOOLEAN
44 Price PRICE
45 RefSeqNum SEQNUM
48 SecurityID STRING
49 SenderCompID STRING
50 SenderSubID STRING
52 SendingTime UTCTIMESTAMP
54 Side CHAR 1,2,3,4,5,6,7,8,9,A,B,C,D,E,F,G
55 Symbol STRING
56 TargetCompID STRING
57 TargetSubID STRING
58 Text STRING
59 TimeInForce CHAR 0,1,2,3,4,5,6,7
60 TransactTime UTCTIMESTAMP
63 SettlType CHAR 0,1,2,3,4,5,6,7,8,9
64 SettlDate LOCALMKTDATE
65 SymbolSfx STRING
66 ListID STRING
70 AllocID STRING
75 TradeDate LOCALMKTDATE
77 PositionEffect CHAR C,F,O,R
78 NoAllocs NUMINGROUP
79 AllocAccount STRING
80 AllocQty QTY
81 ProcessCode CHAR 0,1,2,3,4,5,6
83 RptSeq INT
89 Signature DATA
90 SecureDataLen LENGTH
91 SecureData DATA
93 SignatureLength LENGTH
95 RawDataLength LENGTH
96 RawData DATA
97 PossResend BOOLEAN
98 EncryptMethod INT 0,1,2,3,4,5,6
99 StopPx PRICE
100 ExDestination EXCHANGE
102 CxlRejReason INT 0,1,2,3,4,5,6,99
103 OrdRejReason INT 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,99
106 Issuer STRING
107 SecurityDesc STRING
108 HeartBtInt INT
110 MinQty QTY
111 MaxFloor QTY
112 TestReqID STRING
114 LocateReqd BOOLEAN
115 OnBehalfOfCompID STRING
116 OnBehalfOfSubID STRING
117 QuoteID STRING
118 NetMoney AMT
119 SettlCurrAmt AMT
120 SettlCurrency CURRENCY
121 ForexReq BOOLEAN
122 OrigSendingTime UTCTIMESTAMP
123 GapFillFlag BOOLEAN
126 ExpireTime UTCTIMESTAMP
128 DeliverToCompID STRING
129 DeliverToSubID STRING
136 NoMiscFees NUMINGROUP
137 MiscFeeAmt AMT
138 MiscFeeCurr CURRENCY
139 MiscFeeType STRING 1,2,3,4,5,6,7,8,9,10,11,12
140 PrevClosePx PRICE
141 ResetSeqNumFlag BOOLEAN
142 SenderLocationID STRING
143 TargetLocationID STRING
144 OnBehalfOfLocationID STRING
145 DeliverToLocationID STRING
146 NoRelatedSym NUMINGROUP
150 ExecType CHAR 0,3,4,5,6,7,8,9,A,B,C,D,E,F,G,H,I
151 LeavesQty QTY
152 CashOrderQty QTY
157 NumDaysInterest INT
158 AccruedInterestRate PERCENTAGE
159 AccruedInterestAmt AMT
167 SecurityType STRING EUSUPRA,FAC,FADN,PEF,SUPRA,CORP,CPP,CB,DUAL,EUCORP,XLINKD,STRUCT,YANK,FOR,CS,PS,BRADY,EUSOV,\
TBOND,TINT,TIPS,TCAL,TPRN,UST,USTB,TNOTE,TBILL,REPO,FORWARD,BUYSELL,SECLOAN,SECPLEDGE,TERM,RVLV,RVLVTRM,BRIDGE,LOFC,\
SWING,DINP,DEFLTED,WITHDRN,REPLACD,MATURED,AMENDED,RETIRED,BA,BN,BOX,CD,CL,CP,DN,EUCD,EUCP,LQN,MTN,ONITE,PN,PZFJ,STN,\
TD,XCN,YCD,ABS,CMBS,CMO,IET,MBS,MIO,MPO,MPP,MPT,PFAND,TBA,AN,COFO,COFP,GO,MT,RAN,REV,SPCLA,SPCLO,SPCLT,TAN,TAXA,TECP,\
TRAN,VRDN,WAR,MF,MLEG,NONE,?,FUT,OPT
168 EffectiveTime UTCTIMESTAMP
192 OrderQty2 QTY
193 SettlDate2 LOCALMKTDATE
198 SecondaryOrderID STRING
200 MaturityMonthYear MONTHYEAR
202 StrikePrice PRICE
203 CoveredOrUncovered INT 0,1
206 OptAttribute CHAR
207 SecurityExchange EXCHANGE
210 MaxShow QTY
211 PegOffsetValue FLOAT
212 XmlDataLen LENGTH
213 XmlData DATA
218 Spread PRICEOFFSET
220 BenchmarkCurveCurrency CURRENCY
221 BenchmarkCurveName STRING
222 BenchmarkCurvePoint STRING
223 CouponRate PERCENTAGE
224 CouponPaymentDate LOCALMKTDATE
225 IssueDate LOCALMKTDATE
226 RepurchaseTerm INT
227 RepurchaseRate PERCENTAGE
228 Factor FLOAT
229 TradeOriginationDate LOCALMKTDATE
231 ContractMultiplier FLOAT
232 NoStipulations NUMINGROUP
233 StipulationType STRING
234 StipulationValue STRING
235 YieldType STRING
236 Yield PERCENTAGE
239 RepoCollateralSecurityType STRING
240 RedemptionDate LOCALMKTDATE
255 CreditRating STRING
262 MDReqID STRING
263 SubscriptionRequestType CHAR 0,1,2
264 MarketDepth INT
265 MDUpdateType INT 0,1
266 AggregatedBook BOOLEAN
267 NoMDEntryTypes NUMINGROUP
268 NoMDEntries NUMINGROUP
269 MDEntryType CHAR 0,1,2,3,4,5,6,7,8,9,A,B,C
270 MDEntryPx PRICE
271 MDEntrySize QTY
272 MDEntryDate UTCDATEONLY
273 MDEntryTime UTCTIMEONLY
274 TickDirection CHAR 0,1,2,3
275 MDMkt EXCHANGE
276 QuoteCondition MULTIPLEVALUESTRING A,B,C,D,E,F,G,H,I
277 TradeCondition MULTIPLEVALUESTRING A,B,C,D,E,F,G,H,I,J,K,L,M,N,P,Q,R
278 MDEntryID STRING
279 MDUpdateAction CHAR 0,1,2
280 MDEntryRefID STRING
281 MDReqRejReason CHAR 0,1,2,3,4,5,6,7,8,9,A,B,C
282 MDEntryOriginator STRING
283 LocationID STRING
284 DeskID STRING
285 DeleteReason CHAR 0,1
286 OpenCloseSettlFlag MULTIPLEVALUESTRING 0,1,2,3,4,5
287 SellerDays INT
288 MDEntryBuyer STRING
289 MDEntrySeller STRING
290 MDEntryPositionNo INT
291 FinancialStatus MULTIPLEVALUESTRING 1,2
292 CorporateAction MULTIPLEVALUESTRING A,B,C,D,E
299 QuoteEntryID STRING
305 UnderlyingSecurityIDSource STRING
309 UnderlyingSecurityID STRING
310 UnderlyingSecurityType STRING
311 UnderlyingSymbol STRING
312 UnderlyingSymbolSfx STRING
313 UnderlyingMaturityMonthYear MONTHYEAR
318 UnderlyingCurrency CURRENCY
320 SecurityReqID STRING
321 SecurityRequestType INT 0,1,2,3
322 SecurityResponseID STRING
323 SecurityResponseType INT 1,2,3,4,5,6
324 SecurityStatusReqID STRING
325 UnsolicitedIndicator BOOLEAN
326 SecurityTradingStatus INT 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23
327 HaltReasonChar CHAR D,E,I,M,P,X
328 InViewOfCommon BOOLEAN
329 DueToRelated BOOLEAN
330 BuyVolume QTY
331 SellVolume QTY
332 HighPx PRICE
333 LowPx PRICE
334 Adjustment INT 1,2,3
335 TradSesReqID STRING
336 TradingSessionID STRING
337 ContraTrader STRING
338 TradSesMethod INT 1,2,3
339 TradSesMode INT 1,2,3
340 TradSesStatus INT 0,1,2,3,4,5,6
341 TradSesStartTime UTCTIMESTAMP
342 TradSesOpenTime UTCTIMESTAMP
343 TradSesPreCloseTime UTCTIMESTAMP
344 TradSesCloseTime UTCTIMESTAMP
345 TradSesEndTime UTCTIMESTAMP
346 NumberOfOrders INT
347 MessageEncoding STRING
348 EncodedIssuerLen LENGTH
349 EncodedIssuer DATA
350 EncodedSecurityDescLen LENGTH
351 EncodedSecurityDesc DATA
354 EncodedTextLen LENGTH
355 EncodedText DATA
369 LastMsgSeqNumProcessed SEQNUM
371 RefTagID INT
372 RefMsgType STRING
373 SessionRejectReason INT 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,99
375 ContraBroker STRING
376 ComplianceID STRING
377 SolicitedFlag BOOLEAN
378 ExecRestatementReason INT 0,1,2,3,4,5,6,7,8,9,10,99
379 BusinessRejectRefID STRING
380 BusinessRejectReason INT 0,1,2,3,4,5,6,7
381 GrossTradeAmt AMT
382 NoContraBrokers NUMINGROUP
383 MaxMessageSize LENGTH
384 NoMsgTypes NUMINGROUP
385 MsgDirection CHAR R,S
386 NoTradingSessions NUMINGROUP
387 TotalVolumeTraded QTY
388 DiscretionInst CHAR 0,1,2,3,4,5,6
389 DiscretionOffsetValue FLOAT
393 TotNoRelatedSym INT
423 PriceType INT 1,2,3,4,5,6,7,8,9,10,11
427 GTBookingInst INT 0,1,2
432 ExpireDate LOCALMKTDATE
434 CxlRejResponseTo CHAR 1,2
437 ContraTradeQty QTY
438 ContraTradeTime UTCTIMESTAMP
447 PartyIDSource CHAR
448 PartyID STRING
451 NetChgPrevDay PRICEOFFSET
452 PartyRole INT
453 NoPartyIDs NUMINGROUP
454 NoSecurityAltID NUMINGROUP
455 SecurityAltID STRING
456 SecurityAltIDSource STRING
460 Product INT 1,2,3,4,5,6,7,8,9,10,11,12,13
461 CFICode STRING
464 TestMessageIndicator BOOLEAN
467 IndividualAllocID STRING
468 RoundingDirection CHAR 0,1,2
469 RoundingModulus FLOAT
470 CountryOfIssue COUNTRY
471 StateOrProvinceOfIssue STRING
472 LocaleOfIssue STRING
479 CommCurrency CURRENCY
480 CancellationRights CHAR N,Y,M,O
481 MoneyLaunderingStatus CHAR Y,N,1,2,3
483 TransBkdTime UTCTIMESTAMP
494 Designation STRING
497 FundRenewWaiv CHAR N,Y
513 RegistID STRING
516 OrderPercent PERCENTAGE
523 PartySubID STRING
526 SecondaryClOrdID STRING
527 SecondaryExecID STRING
528 OrderCapacity CHAR A,G,I,P,R,W
529 OrderRestrictions MULTIPLEVALUESTRING 1,2,3,4,5,6,7,8,9,A
530 MassCancelRequestType CHAR 1,2,3,4,5,6,7
531 MassCancelResponse CHAR 0,1,2,3,4,5,6,7
532 MassCancelRejectReason INT 0,1,2,3,4,5,6,99
533 TotalAffectedOrders INT
534 NoAffectedOrders NUMINGROUP
535 AffectedOrderID STRING
536 AffectedSecondaryOrderID STRING
541 MaturityDate LOCALMKTDATE
543 InstrRegistry STRING
544 CashMargin CHAR 1,2,3
546 Scope MULTIPLEVALUESTRING 1,2,3
547 MDImplicitDelete BOOLEAN
553 Username STRING
554 Password STRING
555 NoLegs NUMINGROUP
559 SecurityListRequestType INT 0,1,2,3,4
560 SecurityRequestResult INT 0,1,2,3,4,5
561 RoundLot QTY
562 MinTradeVol QTY
567 TradSesStatusRejReason INT 1,99
581 AccountType INT 1,2,3,4,6,7,8
582 CustOrderCapacity INT 1,2,3,4
583 ClOrdLinkID STRING
584 MassStatusReqID STRING
585 MassStatusReqType INT 1,2,3,4,5,6,7,8
586 OrigOrdModTime UTCTIMESTAMP
589 DayBookingInst CHAR 0,1,2
590 BookingUnit CHAR 0,1,2
591 PreallocMethod CHAR 0,1
600 LegSymbol STRING
602 LegSecurityID STRING
603 LegSecurityIDSource STRING
608 LegCFICode STRING
609 LegSecurityType STRING
610 LegMaturityMonthYear MONTHYEAR
623 LegRatioQty FLOAT
624 LegSide CHAR
625 TradingSessionSubID STRING
627 NoHops NUMINGROUP
628 HopCompID STRING
629 HopSendingTime UTCTIMESTAMP
630 HopRefID SEQNUM
635 ClearingFeeIndicator STRING 1,2,3,4,5,9,B,C,E,F,H,I,L,M
636 WorkingIndicator BOOLEAN
640 Price2 PRICE
644 RFQReqID STRING
655 ContraLegRefID STRING
660 AcctIDSource INT 1,2,3,4,5,99
661 AllocAcctIDSource INT
662 BenchmarkPrice PRICE
663 BenchmarkPriceType INT
667 ContractSettlMonth MONTHYEAR
691 Pool STRING
696 YieldRedemptionDate LOCALMKTDATE
697 YieldRedemptionPrice PRICE
698 YieldRedemptionPriceType INT
699 BenchmarkSecurityID STRING
701 YieldCalcDate LOCALMKTDATE
711 NoUnderlyings NUMINGROUP
736 AllocSettlCurrency CURRENCY
761 BenchmarkSecurityIDSource STRING
762 SecuritySubType STRING
775 BookingType INT 0,1,2
788 TerminationType INT 1,2,3,4
789 NextExpectedMsgSeqNum SEQNUM
790 OrdStatusReqID STRING
797 CopyMsgIndicator BOOLEAN
802 NoPartySubIDs NUMINGROUP
803 PartySubIDType INT
811 PriceDelta FLOAT
813 ApplQueueMax INT
815 ApplQueueAction INT 0,1,2,3
816 NoAltMDSource NUMINGROUP
817 AltMDSourceID STRING
820 TradeLinkID STRING
827 ExpirationCycle INT 0,1
835 PegMoveType INT 0,1
836 PegOffsetType INT 0,1,2,3
837 PegLimitType INT 0,1,2
838 PegRoundDirection INT 1,2
839 PeggedPrice PRICE
840 PegScope INT 1,2,3,4
841 DiscretionMoveType INT 0,1
842 DiscretionOffsetType INT 0,1,2,3
843 DiscretionLimitType INT 0,1,2
844 DiscretionRoundDirection INT 1,2
845 DiscretionPrice PRICE
846 DiscretionScope INT 1,2,3,4
847 TargetStrategy INT
848 TargetStrategyParameters STRING
849 ParticipationRate PERCENTAGE
851 LastLiquidityInd INT 1,2,3
854 QtyType INT 0,1
864 NoEvents NUMINGROUP
865 EventType INT 1,2,3,4,99
866 EventDate LOCALMKTDATE
867 EventPx PRICE
868 EventText STRING
871 InstrAttribType INT
872 InstrAttribValue STRING
873 DatedDate LOCALMKTDATE
874 InterestAccrualDate LOCALMKTDATE
875 CPProgram INT
876 CPRegType STRING
880 TrdMatchID STRING
888 NoInstrAttrib NUMINGROUP
891 MiscFeeBasis INT 0,1,2
893 LastFragment BOOLEAN
898 MarginRatio PERCENTAGE
911 TotNumReports INT
912 LastRptRequested BOOLEAN
913 AgreementDesc STRING
914 AgreementID STRING
915 AgreementDate LOCALMKTDATE
916 StartDate LOCALMKTDATE
917 EndDate LOCALMKTDATE
918 AgreementCurrency CURRENCY
919 DeliveryType INT 0,1,2,3
"""
