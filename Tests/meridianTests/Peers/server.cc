// What `meridian bench echo-server` is compared with: echo.Echo on gRPC C++, with its completion queue and one thread.
// usage: echo-server PORT [DIR]    with DIR over TLS, with DIR/server.pem and DIR/server.key
#include <grpcpp/grpcpp.h>

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "echo.grpc.pb.h"

namespace {

using Service = echo::Echo::AsyncService;
using Queue = grpc::ServerCompletionQueue;

void Answer(const echo::EchoRequest& request, echo::EchoResponse* response) {
  response->set_id(request.id());
  response->set_n(request.n());
  response->set_payload(request.payload());
}

// One call. Frees itself when it has ended.
class Call {
 public:
  virtual ~Call() = default;
  // What was waited for has come, or will not.
  virtual void Proceed(bool ok) = 0;
};

class UnaryCall final : public Call {
 public:
  UnaryCall(Service* service, Queue* queue) : service_(service), queue_(queue), responder_(&context_) {
    service->RequestUnary(&context_, &request_, &responder_, queue, queue, this);
  }

  void Proceed(bool ok) override {
    if (!ok || has_answered_) {
      delete this;
      return;
    }
    new UnaryCall(service_, queue_);
    Answer(request_, &response_);
    has_answered_ = true;
    responder_.Finish(response_, grpc::Status::OK, this);
  }

 private:
  Service* service_;
  Queue* queue_;
  grpc::ServerContext context_;
  echo::EchoRequest request_;
  echo::EchoResponse response_;
  grpc::ServerAsyncResponseWriter<echo::EchoResponse> responder_;
  bool has_answered_ = false;
};

// Answers each message before it reads the next, as the handlers of the others do.
class StreamCall final : public Call {
 public:
  StreamCall(Service* service, Queue* queue) : service_(service), queue_(queue), stream_(&context_) {
    service->RequestStream(&context_, &stream_, queue, queue, this);
  }

  void Proceed(bool ok) override {
    switch (state_) {
      case State::kAwaited:
        if (!ok) return delete this;
        new StreamCall(service_, queue_);
        return Read();
      case State::kReading:
        // The client sends no more.
        if (!ok) return Finish();
        state_ = State::kWriting;
        Answer(request_, &response_);
        return stream_.Write(response_, this);
      case State::kWriting:
        return ok ? Read() : Finish();
      case State::kFinishing:
        delete this;
    }
  }

 private:
  enum class State { kAwaited, kReading, kWriting, kFinishing };

  void Read() {
    state_ = State::kReading;
    stream_.Read(&request_, this);
  }

  void Finish() {
    state_ = State::kFinishing;
    stream_.Finish(grpc::Status::OK, this);
  }

  Service* service_;
  Queue* queue_;
  grpc::ServerContext context_;
  echo::EchoRequest request_;
  echo::EchoResponse response_;
  grpc::ServerAsyncReaderWriter<echo::EchoResponse, echo::EchoRequest> stream_;
  State state_ = State::kAwaited;
};

std::string Content(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: echo-server PORT [DIR]\n";
    return 64;
  }
  auto credentials = grpc::InsecureServerCredentials();
  if (argc == 3) {
    const std::string folder = argv[2];
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({Content(folder + "/server.key"), Content(folder + "/server.pem")});
    credentials = grpc::SslServerCredentials(options);
  }
  Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(std::string("127.0.0.1:") + argv[1], credentials);
  builder.RegisterService(&service);
  auto queue = builder.AddCompletionQueue();
  auto server = builder.BuildAndStart();
  if (!server) return 1;
  for (int i = 0; i < 256; ++i) {
    new UnaryCall(&service, queue.get());
    new StreamCall(&service, queue.get());
  }
  void* call;
  bool ok;
  while (queue->Next(&call, &ok)) static_cast<Call*>(call)->Proceed(ok);
}
