/// Words that the Penn Treebank's rules treat in their own way, as seen in what Stanford's tokenizer
/// does with them.
enum PTBWords {
  /// Keep a period that follows, in whatever case.
  static let abbreviations = """
    adj adm adv al ala alex apr ariz assn assoc asst atty attys aug ave bancorp bhd bldg blvd brig \
    bros calif capt cf cie cmdr co col colo comdr conn corp cos cpl ct dak dec dept det dr drs elec \
    ens esq est etc ext feb fla fri ft ga gen gov govs hon inc ind insp intl invt jan jos jr jul jun \
    kan kans ky lieut lt ltd maj mar md messrs mfg mich minn mlle mme mo mon mont mr mrs ms msgr mt \
    natl neb nev nov oct okla penn pfc ph plc ppte ppty pres prof profs pte ptes pty ptys pvt rd rep \
    reps rev rt sen sens sep sept seq sfc sgt spc sq sr st ste supt supts sys tel tenn thu thurs \
    treas tue tues univ va vs vt wed wis wisc wm wyo
    """
  /// Keep it only with a capital, being words as well.
  static let capitalisedAbbreviations = "ark az del ill la mass miss ore pa tex wash"
  /// Keep it only before a number, as in `no. 5`.
  static let numberAbbreviations = "art ca fig figs no nos op pp prop"

  /// After a single letter and a period these begin another sentence: `Plan B. The dog`.
  static let sentenceBeginnings = """
    A About According Additionally After An As At But Earlier He Her Here However If In It Last Many \
    More Mr. Ms. Now Once One Other Our She Since So Some Such That The Their Then There These They \
    This We What When While Yet You
    """

  /// Behind a period these make a file's name of what is before them, as in `001.jpg`.
  static let fileEndings = """
    bat bmp c cgi class cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl \
    png ppt ps py sql tar txt wav x xml zip
    """

  /// Fused words, with the length of their first part.
  static let fused = [
    ("cannot", 3), ("gonna", 3), ("gotta", 3), ("wanna", 3), ("gimme", 3), ("lemme", 3),
  ]

  /// Whole words though there is an apostrophe in them.
  static let apostropheWords = """
    c'est c'mon cap'n cont'd. dunkin' e'er ev'ry li'l nat'l nor'easter ol' s'mores somethin'
    """
}
