import Testing

@testable import MessagePassing

struct LaunchTests {
  @Test(arguments: [
    [:], ["OMPI_COMM_WORLD_SIZE": "1", "PMIX_RANK": "0"], ["PMI_SIZE": "1"],
    ["SLURM_NTASKS": "4"], ["PMI_SIZE": "many"],
  ])
  func processesAlone(_ environment: [String: String]) {
    #expect(Launch(environment: environment) == nil)
  }

  @Test func launchersAreKnownByTheirVariables() throws {
    let openMPI = try #require(
      Launch(environment: [
        "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_SIZE": "2", "PMIX_RANK": "3",
      ]))
    #expect(openMPI.count == 4 && openMPI.localCount == 2)
    #expect(openMPI.libraries(environment: [:]).first == "libmpi.so.40")
    let mpich = try #require(Launch(environment: ["PMI_SIZE": "3", "MPI_LOCALNRANKS": "3"]))
    #expect(mpich.count == 3 && mpich.localCount == 3)
    #expect(mpich.libraries(environment: [:]).first == "libmpi.so.12")
    let slurm = try #require(Launch(environment: ["SLURM_STEP_NUM_TASKS": "8", "PMIX_RANK": "0"]))
    #expect(slurm.count == 8 && slurm.localCount == nil)
    let unknown = try #require(Launch(environment: ["PMIX_RANK": "0"]))
    #expect(unknown.count == nil)
  }

  @Test func aNamedLibraryIsTheOnlyOne() throws {
    let launch = try #require(Launch(environment: ["PMI_SIZE": "3"]))
    #expect(
      launch.libraries(environment: ["BLIP2_MPI_LIBRARY": "/a/libmpi.so"]) == ["/a/libmpi.so"])
    #expect(launch.libraries(environment: ["BLIP2_MPI_LIBRARY": ""]).count > 1)
  }
}
