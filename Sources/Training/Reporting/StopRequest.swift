import Foundation
import Synchronization

/// SIGINT, SIGTERM and a lost terminal (SIGHUP) as a request to finish the step, save and leave; a second SIGINT ends at once.
public enum StopRequest {
  private static let received = Atomic<Int32>(0)

  /// The signal that asked for an end, if one came.
  public static var signal: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// Listens for these signals from now on.
  public static func listen() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var action = sigaction()
      action.sa_flags = Int32(SA_RESTART)
      action.__sigaction_handler.sa_handler = { number in
        let earlier = StopRequest.received.exchange(number, ordering: .relaxed)
        if earlier != 0 && number == SIGINT { _exit(130) }
      }
      sigaction(number, &action, nil)
    }
  }
}
