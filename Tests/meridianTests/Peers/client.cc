// What `meridian bench echo-client` is compared with: unary calls of echo.Echo by gRPC C++, with one completion queue
// and one thread, in a closed loop. Ends at once when a call fails.
// usage: echo-client PORT CONNECTIONS CALLS WARM-UP-MS DURATION-MS    CALLS at a time on each connection
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "echo.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;

std::atomic<long> answers{0};
std::atomic<bool> is_stopped{false};

// One caller: begins its next call when the last has ended.
class Caller {
 public:
  Caller(echo::Echo::Stub* stub, grpc::CompletionQueue* queue) : stub_(stub), queue_(queue) {
    request_.set_id("order-000001");
    request_.set_n(42);
    std::string payload(64, '\0');
    for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i);
    request_.set_payload(payload);
  }

  void Begin() {
    context_.emplace();
    context_->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    reader_ = stub_->AsyncUnary(&*context_, request_, queue_);
    reader_->Finish(&response_, &status_, this);
  }

  void End() {
    if (!status_.ok() || response_.n() != request_.n()) {
      std::fprintf(stderr, "a call failed: %d %s\n", status_.error_code(), status_.error_message().c_str());
      std::exit(1);
    }
    answers.fetch_add(1, std::memory_order_relaxed);
  }

 private:
  echo::Echo::Stub* stub_;
  grpc::CompletionQueue* queue_;
  std::optional<grpc::ClientContext> context_;
  echo::EchoRequest request_;
  echo::EchoResponse response_;
  grpc::Status status_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<echo::EchoResponse>> reader_;
};

// Processor time of this process, in seconds.
double ProcessorTime() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

// Looks at the counters at the start and at the end of the measurement, and stops the callers.
void Measure(std::chrono::milliseconds warm_up, std::chrono::milliseconds duration) {
  std::this_thread::sleep_for(warm_up);
  const long first = answers;
  const double cpu = ProcessorTime();
  const auto start = Clock::now();
  std::this_thread::sleep_for(duration);
  const long count = answers - first;
  const double client = ProcessorTime() - cpu;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  is_stopped = true;
  std::printf("%.0f answers/s, %.0f per CPU second of the client\n", count / seconds, count / client);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: echo-client PORT CONNECTIONS CALLS WARM-UP-MS DURATION-MS\n");
    return 64;
  }
  const int connections = std::atoi(argv[2]), calls = std::atoi(argv[3]);
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<echo::Echo::Stub>> stubs;
  std::vector<std::unique_ptr<Caller>> callers;
  grpc::ChannelArguments arguments;
  // Otherwise channels to one address share one connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  for (int i = 0; i < connections; ++i) {
    stubs.push_back(echo::Echo::NewStub(grpc::CreateCustomChannel(
        std::string("127.0.0.1:") + argv[1], grpc::InsecureChannelCredentials(), arguments)));
    for (int j = 0; j < calls; ++j) callers.push_back(std::make_unique<Caller>(stubs.back().get(), &queue));
  }
  std::thread clock(
      Measure, std::chrono::milliseconds(std::atoi(argv[4])), std::chrono::milliseconds(std::atoi(argv[5])));
  for (auto& caller : callers) caller->Begin();
  size_t active = callers.size();
  void* tag;
  bool ok;
  while (active > 0 && queue.Next(&tag, &ok)) {
    auto* caller = static_cast<Caller*>(tag);
    caller->End();
    if (is_stopped) {
      --active;
    } else {
      caller->Begin();
    }
  }
  clock.join();
}
